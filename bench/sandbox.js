/** What the sandbox adds to a command. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createCommandRunner, createSandbox } from '@quire/host';
import { median } from './report.js';

const LARGEST_COST_MS = 8;
const COMMANDS_PER_ROUND = 20;
const TIMEOUT_MS = 10_000;

/**
 * `true` as the runner starts it, with and without the sandbox, in turns. That a command is really confined is checked
 * before the clock starts.
 * @param {{ rounds: number }} options
 * @returns {Promise<import('./findings.js').Finding[]>}
 */
export async function measureSandbox({ rounds }) {
  const { tried } = await createSandbox().probe();
  /** @type {import('./findings.js').Finding[]} */
  const findings = [];
  for (const { backend, works } of tried) if (works) findings.push(await measureBackend(backend, rounds));
  if (findings.length === 0) throw new Error('no sandbox works on this machine; see quire doctor');
  return findings;
}

/** @param {import('@quire/host').SandboxBackendName} backend @param {number} rounds */
async function measureBackend(backend, rounds) {
  const cwd = await realpath(await mkdtemp(path.join(tmpdir(), 'bench-sandbox-')));
  const runner = createCommandRunner({ threadId: 'bench', sandbox: createSandbox({ backend }) });
  try {
    const confined = /** @type {const} */ ({ kind: 'sandbox', writableRoots: [cwd], network: 'off' });
    const outside = path.join(path.dirname(cwd), `${path.basename(cwd)}-outside`);
    const tried = await run(runner, { argv: ['touch', outside], cwd, confinement: confined });
    if (tried.end.kind !== 'exited' || tried.end.exitCode === 0) throw new Error(`${backend} does not confine`);
    /** @type {Record<'confined' | 'free', number[]>} */
    const samples = { confined: [], free: [] };
    for (let round = -1; round < rounds * COMMANDS_PER_ROUND; round += 1) {
      for (const way of /** @type {const} */ (['free', 'confined'])) {
        const startedAt = performance.now();
        const confinement = way === 'free' ? /** @type {const} */ ({ kind: 'none' }) : confined;
        const { end } = await run(runner, { argv: ['true'], cwd, confinement });
        if (end.kind !== 'exited' || end.exitCode !== 0) throw new Error(`true did not run: ${JSON.stringify(end)}`);
        if (round >= 0) samples[way].push(performance.now() - startedAt);
      }
    }
    const [free, inside] = [median(samples.free), median(samples.confined)];
    return {
      measure: `quire: the command \`true\` in the sandbox ${backend}`,
      value: `${inside.toFixed(1)} ms; ${free.toFixed(1)} ms without a sandbox`,
      target: `${(inside - free).toFixed(1)} ms more, ≤ ${LARGEST_COST_MS} ${inside - free <= LARGEST_COST_MS ? 'met' : 'MISSED'}`,
    };
  } finally {
    await runner.close();
    await rm(cwd, { recursive: true, force: true });
  }
}

/**
 * @param {ReturnType<typeof createCommandRunner>} runner
 * @param {Pick<import('@quire/core').ProgramCall, 'argv' | 'cwd' | 'confinement'>} command
 */
function run(runner, command) {
  const { signal } = new AbortController();
  return runner.run({ ...command, timeoutMs: TIMEOUT_MS }, { signal });
}
