/** One run of one client: time, processor time, memory, and whether the answer was right. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from '../tools/lib/run-command.js';

/**
 * @typedef {{ wallMs: number, cpuMs: number, peakMemoryMib: number }} Sample
 *   `cpuMs` is user and system time of the client and its tools, `peakMemoryMib` the largest resident set of one process
 *   among them
 * @typedef {import('./clients.js').Client} Client
 * @typedef {import('./scenarios.js').Scenario} Scenario
 */

const TIME_PROGRAM = '/usr/bin/time';
const RUN_TIMEOUT_MS = 120_000;

/** @returns {string | undefined} what is missing on this machine */
export function findMissingTool() {
  return existsSync(TIME_PROGRAM)
    ? undefined
    : `${TIME_PROGRAM} is missing; it measures memory. Install the package "time" (GNU time).`;
}

/**
 * @typedef {{ name: string, scenario: Scenario, homesFolder: string,
 *   provider: import('./provider-process.js').ProviderProcess, extraArguments?: readonly string[] }} RunOptions
 * @typedef {Awaited<ReturnType<import('./provider-process.js').ProviderProcess['finish']>>} Seen
 */

/**
 * Runs a client once in fresh folders.
 * @param {Client} client
 * @param {RunOptions} options
 * @returns {Promise<Sample>} rejects when the answer was wrong: a wrong answer has no time
 */
export async function measureRun(client, options) {
  return (await observeRun(client, options)).result.sample;
}

/**
 * Like `measureRun`, with what was printed and what the provider saw. `extraArguments` stand before the prompt.
 * @param {Client} client
 * @param {RunOptions} options
 * @returns {Promise<{ result: TimedResult, seen: Seen }>}
 */
export async function observeRun(client, { name, scenario, homesFolder, provider, extraArguments = [] }) {
  await mkdir(homesFolder, { recursive: true });
  const home = await mkdtemp(path.join(homesFolder, 'home-'));
  const repository = await realpath(await mkdtemp(path.join(tmpdir(), 'bench-repository-')));
  try {
    await runCommand(['git', 'init', '--quiet'], { cwd: repository });
    const url = await provider.start(name);
    const { prompt, resumes, webSocket = false } = scenario;
    const run = { url, home, repository, prompt, resumes, webSocket };
    await client.prepareHome(run);
    const [own, words] = [client.argumentsFor(run).slice(0, -1), client.argumentsFor(run).slice(-1)];
    const result = await runTimed([client.program, ...own, ...extraArguments, ...words], {
      cwd: repository,
      env: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8', ...client.environmentFor(run) },
      folder: home,
    });
    const seen = await provider.finish();
    const problem = findProblem({ client, scenario, result, seen });
    if (problem !== undefined) throw new Error(`${client.name} in ${name}: ${problem}\n${result.stderr.slice(-2000)}`);
    return { result, seen };
  } finally {
    for (const folder of [home, repository]) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * @param {{ client: Client, scenario: Scenario, result: TimedResult, seen: Seen }} run
 * @returns {string | undefined}
 */
function findProblem({ client, scenario, result, seen }) {
  if (result.exitCode !== 0) return `exit code ${result.exitCode}`;
  if (seen.requestCount !== scenario.requestCount) {
    return `${seen.requestCount} requests instead of ${scenario.requestCount}`;
  }
  if (!seen.isRight) return 'a request lacks what it should carry';
  const text = client.finalTextOf(result.stdout);
  return text === scenario.finalText ? undefined : `the final text is wrong: ${JSON.stringify(text?.slice(0, 200))}`;
}

/** @typedef {{ exitCode: number | null, stdout: string, stderr: string, sample: Sample }} TimedResult */

/**
 * Output goes to files: nobody has to read along while the clock runs.
 * @param {readonly string[]} command
 * @param {{ cwd: string, env: Record<string, string>, folder: string }} options `folder` takes the output
 * @returns {Promise<TimedResult>}
 */
export async function runTimed(command, { cwd, env, folder }) {
  const files = {
    stdout: path.join(folder, '.stdout'),
    stderr: path.join(folder, '.stderr'),
    time: path.join(folder, '.time'),
  };
  const stdout = await open(files.stdout, 'w');
  const stderr = await open(files.stderr, 'w');
  try {
    const startedAt = performance.now();
    const child = spawn(TIME_PROGRAM, ['-f', '%U %S %M', '-o', files.time, ...command], {
      cwd,
      env,
      stdio: ['ignore', stdout.fd, stderr.fd],
      timeout: RUN_TIMEOUT_MS,
    });
    const { exitCode, endedAt } = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve({ exitCode: code, endedAt: performance.now() }));
    });
    const usage = (await readFile(files.time, 'utf8')).trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    const [userSeconds = 0, systemSeconds = 0, peakKib = 0] = usage;
    return {
      exitCode,
      stdout: await readFile(files.stdout, 'utf8'),
      stderr: await readFile(files.stderr, 'utf8'),
      sample: {
        wallMs: endedAt - startedAt,
        cpuMs: (userSeconds + systemSeconds) * 1000,
        peakMemoryMib: peakKib / 1024,
      },
    };
  } finally {
    await Promise.all([stdout.close(), stderr.close()]);
  }
}
