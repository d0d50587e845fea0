/**
 * Runs the peer's own binary and `quire` against the same script, prints how their JSON events differ, and writes the
 * report. A difference is a finding to judge, not a failure.
 */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Simulator } from '@quire/simulator';
import { runCommand } from '../../tools/lib/run-command.js';
import { REPOSITORY_ROOT } from '../../tools/lib/tool.js';
import { PEER_CASES } from './cases.js';
import { installPeer, PEER_VERSION } from './install-peer.js';
import { diffEvents, readEvents } from './normalize.js';

const REPORT = 'docs/peer-differences.md';

/** A name without metadata in either client, so that both offer their general tools. */
const MODEL = 'mock-model';

/**
 * @typedef {import('./cases.js').PeerCase} PeerCase
 * @typedef {import('./normalize.js').JsonEvent} JsonEvent
 * @typedef {{ events: JsonEvent[], exitCodes: number[] }} Observed
 */

/**
 * @param {{ folder: string, quirePath: string }} options `folder` is where the peer is installed
 * @returns {Promise<number>} exit code
 */
export async function comparePeer({ folder, quirePath }) {
  const peerPath = await installPeer(folder);
  process.stdout.write(`@openai/codex ${PEER_VERSION}\n`);
  /** @type {string[]} */
  const sections = [];
  for (const peerCase of PEER_CASES) {
    const peer = await observe(peerCase, peerPath);
    const quire = await observe(peerCase, quirePath);
    if (peer.events.length === 0)
      throw new Error(`the peer printed no event in "${peerCase.title}": the case is broken`);
    const lines = diffEvents(peer.events, quire.events);
    const differs = lines.some((line) => !line.startsWith(' '));
    const exits = `exit codes: peer ${peer.exitCodes.join(', ')}; quire ${quire.exitCodes.join(', ')}`;
    process.stdout.write(
      `${differs ? 'differs' : 'same   '}  ${peerCase.title} (${peer.events.length} events; ${exits})\n`,
    );
    if (differs) process.stdout.write(`${lines.map((line) => `    ${line}`).join('\n')}\n`);
    sections.push(
      `## ${peerCase.title}\n\n${exits}\n\n${differs ? `\`\`\`diff\n${lines.join('\n')}\n\`\`\`` : 'Same events.'}\n`,
    );
  }
  await writeFile(path.join(REPOSITORY_ROOT, REPORT), `${introduction()}\n${sections.join('\n')}`);
  process.stdout.write(`wrote ${REPORT}\n`);
  return 0;
}

function introduction() {
  return `# Differences from the peer

Written by \`npm run conformance -- --peer\` on ${new Date().toISOString().slice(0, 10)} with \`@openai/codex\` ${PEER_VERSION}; do not edit.

Both commands ran with \`exec --json\` against the same scripted provider. Lines with \`-\` are events of the peer only,
lines with \`+\` are events of \`quire\` only. Thread ids, paths of the run and the wording of messages are replaced by names.
`;
}

/**
 * All runs of one case with one command, in fresh folders.
 * @param {PeerCase} peerCase
 * @param {string} program
 * @returns {Promise<Observed>}
 */
async function observe(peerCase, program) {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'quire-peer-')));
  const provider = await Simulator.start({ steps: peerCase.steps(), lenient: true });
  try {
    const [home, repository] = [path.join(folder, 'home'), path.join(folder, 'repository')];
    await Promise.all([mkdir(home), mkdir(repository)]);
    await runCommand(['git', 'init', '--quiet'], { cwd: repository });
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, CODEX_HOME: home };
    const address = `model_providers.lab={name="lab", base_url=${JSON.stringify(provider.url)}, wire_api="responses"}`;
    const common = [
      'exec',
      '--json',
      '-m',
      MODEL,
      '-s',
      'danger-full-access',
      '-c',
      address,
      '-c',
      'model_provider=lab',
    ];
    /** @type {Observed} */
    const observed = { events: [], exitCodes: [] };
    let threadId = '';
    for (const run of peerCase.runs) {
      const own = run.map((argument) => (argument === '<thread>' ? threadId : argument));
      const { exitCode, stdout } = await runForStdout([program, ...common, ...own], { cwd: repository, env });
      threadId = /"thread_id":"([^"]+)"/.exec(stdout)?.[1] ?? threadId;
      observed.events.push(...readEvents(stdout, { folder }));
      observed.exitCodes.push(exitCode);
    }
    return observed;
  } finally {
    await provider.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Standard output alone; diagnostics are each client's own.
 * @param {readonly string[]} command
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 */
async function runForStdout(command, options) {
  const { exitCode, output } = await runCommand(['/bin/sh', '-c', 'exec "$@" 2>/dev/null', 'sh', ...command], options);
  return { exitCode, stdout: output };
}
