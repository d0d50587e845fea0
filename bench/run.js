/**
 * Measures `quire` beside the native peer and another agent, against one provider on one machine.
 *
 *   npm run bench                        all scenarios, 7 rounds
 *   npm run bench -- --rounds N          at least 1; fewer than 7 is only for a quick look
 *   npm run bench -- --only NAME         one scenario, or all that begin with NAME; may be repeated
 *   npm run bench -- --client NAME       one client beside the peer; may be repeated
 *   npm run bench -- --small             large fixtures at a hundredth of their size: only to see that all works
 *   npm run bench -- --save              also writes bench/results/<date>.json
 *
 * How to read it: bench/README.md. Exit code: 0 when all was measured, 1 when a run failed, 2 for wrong arguments.
 * A missed target is no failure: it is in the table.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../tools/lib/run-command.js';
import { REPOSITORY_ROOT } from '../tools/lib/tool.js';
import { findMissingTool } from './measure.js';

const FOLDER = path.join(REPOSITORY_ROOT, '.bench');
const RESULTS = path.join(import.meta.dirname, 'results');
const DEFAULT_ROUNDS = 7;

/**
 * @typedef {{ rounds: number, only: readonly string[], clients: readonly string[], save: boolean, small: boolean }} Options
 * @typedef {import('./report.js').Samples} Samples
 */

/** @returns {Options | string} a string says what is wrong */
function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
      only: { type: 'string', multiple: true, default: [] },
      client: { type: 'string', multiple: true, default: [] },
      save: { type: 'boolean', default: false },
      small: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) return `--rounds takes a whole number from 1, not ${values.rounds}`;
  return { rounds, only: values.only, clients: values.client, save: values.save, small: values.small };
}

/** @param {Options} options */
async function bench(options) {
  // Before the fixtures are loaded; the provider and the others inherit it.
  if (options.small) process.env['BENCH_SCALE'] = '0.01';
  const [{ loadClients, PEER }, { SCENARIOS }, { describeCircumstances, formatTable }, { ProviderProcess }] =
    await Promise.all([
      import('./clients.js'),
      import('./scenarios.js'),
      import('./report.js'),
      import('./provider-process.js'),
    ]);
  const names = [
    ...Object.keys(SCENARIOS),
    'websocket-savings',
    'assembly',
    'file-search',
    'sandbox',
    'telemetry',
    'large-home',
    'long-work',
  ];
  const unknown = options.only.filter((prefix) => !names.some((name) => name.startsWith(prefix)));
  if (unknown.length > 0) return fail(`no scenario ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  const all = await loadClients(FOLDER);
  const clients = all.filter(
    ({ name }) => options.clients.length === 0 || name === PEER || options.clients.includes(name),
  );
  const circumstances = describeCircumstances();
  const { cpu, cores, memoryGib, kernel, node, loadAverage } = circumstances;
  say(`${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}, node ${node}, load ${loadAverage[0]}`);
  say(
    `${clients.map(({ name, version }) => `${name} ${version}`).join(', ')}; ${options.rounds} rounds after one warm-up`,
  );
  if ((loadAverage[0] ?? 0) > cores / 2) say('The machine is busy: expect noise.');
  const provider = new ProviderProcess();
  /** @type {Samples} */
  const samples = {};
  /** @type {import('./findings.js').Finding[]} */
  const findings = [];
  const isWanted = (/** @type {string} */ name) =>
    options.only.length === 0 || options.only.some((prefix) => name.startsWith(prefix));
  try {
    for (const [name, scenario] of Object.entries(SCENARIOS)) {
      if (!isWanted(name)) continue;
      const able = clients.filter(
        ({ speaksWebSocket, readsRollouts }) =>
          (scenario.webSocket !== true || speaksWebSocket) && (scenario.resumes !== 'compacted' || readsRollouts),
      );
      samples[name] = await measureScenario({ name, scenario, clients: able, provider, rounds: options.rounds });
    }
    if (isWanted('websocket-savings')) {
      const { measureBytes, measureWarmUp } = await import('./websocket.js');
      const able = clients.filter(({ speaksWebSocket }) => speaksWebSocket);
      findings.push(...(await measureBytes(able, { homesFolder: path.join(FOLDER, 'homes'), provider })));
      findings.push(await measureWarmUp({ rounds: options.rounds }));
    }
    if (isWanted('assembly')) {
      const { measureAssembly } = await import('./assembly.js');
      findings.push(...(await measureAssembly({ rounds: options.rounds })));
    }
    if (isWanted('sandbox')) {
      const { measureSandbox } = await import('./sandbox.js');
      findings.push(...(await measureSandbox({ rounds: options.rounds })));
    }
    const quire = clients.find(({ name }) => name === 'quire');
    if (isWanted('telemetry') && quire !== undefined) {
      const { measureTelemetry } = await import('./telemetry.js');
      const homesFolder = path.join(FOLDER, 'homes');
      findings.push(...(await measureTelemetry(quire, { rounds: options.rounds, homesFolder, provider })));
    }
    if (isWanted('large-home') && quire !== undefined) {
      const { measureLargeHome } = await import('./large-home.js');
      findings.push(await measureLargeHome({ rounds: options.rounds }));
    }
    if (isWanted('file-search')) {
      const { measureFileSearch } = await import('./file-search.js');
      findings.push(...(await measureFileSearch({ rounds: options.rounds })));
    }
    if (isWanted('long-work')) {
      const { measureLongWork } = await import('./long-work.js');
      findings.push(await measureLongWork({ homesFolder: path.join(FOLDER, 'homes'), provider }));
    }
  } finally {
    provider.stop();
  }
  say('');
  if (Object.keys(samples).length > 0) say(formatTable(samples));
  if (findings.length > 0) say(`\n${(await import('./findings.js')).formatFindings(findings)}`);
  if (options.save)
    await save({
      ...circumstances,
      clients: clients.map(({ name, version }) => ({ name, version })),
      samples,
      findings,
    });
  return Object.values(samples).every((byClient) => Object.values(byClient).every(({ length }) => length > 0)) ? 0 : 1;
}

/**
 * Rounds are interleaved and their order rotates, so that drift of the machine meets every client alike. A client that
 * fails a run is left out of this scenario.
 * @param {{ name: string, scenario: import('./scenarios.js').Scenario, clients: readonly import('./clients.js').Client[],
 *   provider: import('./provider-process.js').ProviderProcess, rounds: number }} options
 */
async function measureScenario({ name, scenario, clients, provider, rounds }) {
  const { measureRun } = await import('./measure.js');
  /** @type {Record<string, import('./measure.js').Sample[]>} */
  const samples = Object.fromEntries(clients.map((client) => [client.name, []]));
  let active = clients;
  for (let round = -1; round < rounds; round += 1) {
    const start = Math.max(round, 0) % active.length;
    for (const client of [...active.slice(start), ...active.slice(0, start)]) {
      try {
        const sample = await measureRun(client, { name, scenario, homesFolder: path.join(FOLDER, 'homes'), provider });
        if (round >= 0) samples[client.name]?.push(sample);
      } catch (error) {
        process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
        active = active.filter((entry) => entry !== client);
        samples[client.name] = [];
      }
    }
    if (active.length === 0) break;
  }
  say(`measured ${name}: ${scenario.title}`);
  return samples;
}

/** @param {{ date: string } & Record<string, unknown>} result */
async function save(result) {
  await mkdir(RESULTS, { recursive: true });
  const file = path.join(RESULTS, `${result.date.slice(0, 10)}.json`);
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  say(`wrote ${path.relative(REPOSITORY_ROOT, file)}`);
}

/** @param {string} text */
function say(text) {
  process.stdout.write(`${text}\n`);
}

/** @param {string} reason */
function fail(reason) {
  process.stderr.write(`bench: ${reason}\n`);
  return 2;
}

async function main() {
  const options = readOptions();
  if (typeof options === 'string') return fail(options);
  const missing = findMissingTool();
  if (missing !== undefined) return fail(missing);
  const build = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/build.js'), '--all', '--if-needed'];
  if ((await runCommand(build, { cwd: REPOSITORY_ROOT, inherit: true })).exitCode !== 0) return 1;
  return bench(options);
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsageError = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = isUsageError ? 2 : 1;
}
