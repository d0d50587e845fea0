/**
 * The demo: a rehearsal drives the real `quire exec` to repair a small broken program.
 *
 *   npm run demo                       in a throw-away folder
 *   npm run demo -- --keep             leaves the folder and prints where it is
 *   npm run demo -- --variant NAME     breaks the program in another way (an unknown name lists them)
 *
 * Exit code: 0 when the program's own tests pass at the end, 1 when not.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from './lib/run-command.js';

const ROOT = path.resolve(import.meta.dirname, '..');
const QUIRE = path.join(ROOT, 'packages/cli/bin/quire.js');
const IDENTITY = ['-c', 'user.name=Quire demo', '-c', 'user.email=demo@localhost', '-c', 'commit.gpgsign=false'];

/** @param {string} text */
function say(text) {
  process.stdout.write(`${text}\n`);
}

/**
 * @param {readonly { path: string, content: string }[]} files
 * @param {string} folder
 */
async function createRepository(files, folder) {
  for (const file of files) {
    const target = path.join(folder, file.path);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, file.content);
  }
  for (const args of [
    ['init', '--quiet'],
    ['add', '--all'],
    [...IDENTITY, 'commit', '--quiet', '--message', 'A program with a bug'],
  ]) {
    const { exitCode } = await runCommand(['git', ...args], { cwd: folder, inherit: true });
    if (exitCode !== 0) throw new Error(`git ${args.join(' ')} failed with exit code ${exitCode}`);
  }
}

/**
 * Runs the agent on the repository, as a user would.
 * @param {{ url: string, repository: string, home: string, prompt: string }} run
 * @returns {Promise<number | null>} the exit code, `null` after a signal
 */
function runAgent({ url, repository, home, prompt }) {
  const provider = `model_providers.rehearsal={name="Rehearsal", base_url=${JSON.stringify(url)}}`;
  const options = [
    '-m',
    'rehearsal',
    '-c',
    provider,
    '-c',
    'model_provider=rehearsal',
    '-s',
    'danger-full-access',
    '-C',
    repository,
  ];
  const child = spawn(process.execPath, [QUIRE, 'exec', ...options, prompt], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, QUIRE_HOME: home },
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
}

/** @param {{ keep: boolean, variant: string | undefined }} options */
async function demo({ keep, variant }) {
  const { createDemoProject, createRepairRehearsal, DEMO_VARIANTS, Simulator } = await import('@quire/simulator');
  const known = DEMO_VARIANTS.map(({ name }) => name);
  const chosen = known.find((name) => name === (variant ?? known[0]));
  if (chosen === undefined) {
    process.stderr.write(`demo: no variant ${variant}; there are: ${known.join(', ')}\n`);
    return 2;
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'quire-demo-'));
  const repository = path.join(folder, 'timesheet');
  const home = path.join(folder, 'home');
  const simulator = await Simulator.start({ rules: createRepairRehearsal() });
  try {
    await mkdir(home);
    const project = createDemoProject(chosen);
    await createRepository(project.files, repository);
    say('');
    say('This is a rehearsal: no language model is answering. A rule-based stand-in on loopback plays the');
    say('provider, and the real `quire exec` does everything else: stream, tools, patch, record.');
    say('');
    const agentExitCode = await runAgent({ url: simulator.url, repository, home, prompt: project.prompt });
    say('');
    say('Now the demo runs the tests of the program itself:');
    const tests = await runCommand(['npm', 'test', '--silent'], { cwd: repository, inherit: true });
    say('');
    return verdict({ agentExitCode, testExitCode: tests.exitCode });
  } finally {
    await simulator.stop();
    if (keep) say(`The repository is in ${repository}, the record of the thread below ${home}/sessions.`);
    else await rm(folder, { recursive: true, force: true });
  }
}

/** @param {{ agentExitCode: number | null, testExitCode: number | null }} result */
function verdict({ agentExitCode, testExitCode }) {
  if (agentExitCode === 0 && testExitCode === 0) {
    say('Repaired: the tests pass.');
    say('');
    say('With a real model, in a repository of yours:');
    say('  export CODEX_API_KEY=…        (a key of the provider)');
    say('  node packages/cli/bin/quire.js exec "What does this project do?"');
    say('Other providers: see [model_providers.<id>] in docs/configuration.md.');
    return 0;
  }
  if (agentExitCode !== 0) say(`Not repaired: the agent ended with exit code ${agentExitCode}.`);
  else say('Not repaired: the tests still fail.');
  return 1;
}

/** @returns {Promise<boolean>} */
async function build() {
  const { exitCode } = await runCommand([process.execPath, path.join(ROOT, 'tools/build.js'), '--all', '--if-needed'], {
    cwd: ROOT,
    inherit: true,
  });
  return exitCode === 0;
}

try {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false }, variant: { type: 'string' } } });
  process.exitCode = (await build()) ? await demo({ keep: values.keep, variant: values.variant }) : 1;
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
