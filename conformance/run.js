/**
 * Drives `quire` through the unmodified TypeScript SDK of the peer, against the simulator.
 *
 *   npm run conformance                    every case, those with the peer's own binary on one thread among them; the
 *                                          binary is some hundred megabytes
 *   npm run conformance -- --only TEXT     cases whose title holds TEXT
 *   npm run conformance -- --transports    the peer's own binary and the `openai` client against our provider, over each
 *                                          transport
 *   npm run conformance -- --peer          compares `quire exec --json` with the peer's own binary instead, and writes
 *                                          docs/peer-differences.md
 *
 * The SDK and the `openai` client are installed once into `.conformance/`. To raise one: change its version, run this,
 * read what fails.
 * Exit code: 0 when all cases pass, 1 when one fails, 2 for wrong arguments.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runCommand } from '../tools/lib/run-command.js';
import { REPOSITORY_ROOT } from '../tools/lib/tool.js';
import { installedVersion, installPackages } from './install-packages.js';

/** The newest version on the registry on the day it was pinned. */
const SDK_VERSION = '0.163.0';
const SDK_NAME = '@openai/codex-sdk';
const SDK_FOLDER = path.join(REPOSITORY_ROOT, '.conformance');
const PEER_FOLDER = path.join(SDK_FOLDER, 'peer');
const QUIRE = path.join(REPOSITORY_ROOT, 'packages/cli/bin/quire.js');

/** A case that hangs is a failure, not a reason to wait. Milliseconds. */
const CASE_TIMEOUT_MS = 60_000;

/** @typedef {import('./lab.js').Lab} Lab */
/** @typedef {(lab: Lab) => Promise<void>} Case a named function; its name in words is the title */
/** @typedef {Case & { timeoutMs?: number }} BoundedCase one that takes longer than most */

/** @param {{ only: string, transports: boolean }} options */
async function runCases({ only, transports }) {
  const { Lab } = await import('./lab.js');
  const tools = await prepare();
  const openLab = () => Lab.open(tools);
  const all = [...(transports ? await loadPeerCases() : await loadCases(openLab)), ...(await loadGeneralCases())];
  const cases = all.filter((run) => titleOf(run).includes(only));
  let failed = 0;
  for (const run of cases) {
    const startedAt = performance.now();
    const failure = await runCase(run, openLab);
    const took = `${Math.round(performance.now() - startedAt)} ms`;
    process.stdout.write(`${failure === undefined ? 'ok  ' : 'FAIL'}  ${titleOf(run)} (${took})\n`);
    if (failure === undefined) continue;
    failed += 1;
    process.stdout.write(`${failure.replace(/^/gm, '      ')}\n`);
  }
  process.stdout.write(`${cases.length - failed} passed, ${failed} failed\n`);
  return failed === 0 && cases.length > 0 ? 0 : 1;
}

/** @returns {Promise<import('./lab.js').LabTools>} */
async function prepare() {
  await installPackages(SDK_FOLDER, { [SDK_NAME]: SDK_VERSION }, { omitOptional: true });
  const version = await installedVersion(SDK_FOLDER, SDK_NAME);
  const entry = path.join(SDK_FOLDER, 'node_modules', SDK_NAME, 'dist/index.js');
  const sdk = await import(pathToFileURL(entry).href);
  const { Simulator } = await import('@quire/simulator');
  process.stdout.write(`${SDK_NAME} ${version}, node ${process.version}\n`);
  return { sdk, Simulator, quirePath: QUIRE };
}

/** @param {() => Promise<Lab>} openLab @returns {Promise<Case[]>} */
async function loadCases(openLab) {
  const modules = await Promise.all([
    import('./cases/turns.js'),
    import('./cases/items.js'),
    import('./cases/input.js'),
    import('./cases/configuration.js'),
    import('./cases/thread-options.js'),
    import('./cases/failures.js'),
    import('./cases/abort.js'),
  ]);
  const peer = [
    await loadInterchangeCases(),
    await loadHomeCases(),
    await loadPatchCases(),
    await loadTelemetryCases(openLab),
  ];
  return [...modules.flatMap(({ CASES }) => CASES), ...peer.flat()];
}

/** @returns {Promise<readonly Case[]>} */
async function loadPatchCases() {
  const [{ installPeer }, { createPatchCases }] = await Promise.all([
    import('./peer/install-peer.js'),
    import('./patch/cases.js'),
  ]);
  return createPatchCases({ peerPath: await installPeer(PEER_FOLDER) });
}

/** @param {() => Promise<Lab>} openLab @returns {Promise<readonly Case[]>} */
async function loadTelemetryCases(openLab) {
  const [{ installPeer }, { createTelemetryCases }] = await Promise.all([
    import('./peer/install-peer.js'),
    import('./telemetry/cases.js'),
  ]);
  return createTelemetryCases({ peer: await installPeer(PEER_FOLDER), quire: QUIRE, openLab });
}

/** @returns {Promise<readonly Case[]>} */
async function loadHomeCases() {
  const [{ installPeer }, { createHomeCases }] = await Promise.all([
    import('./peer/install-peer.js'),
    import('./homes/cases.js'),
  ]);
  return createHomeCases({ peerPath: await installPeer(PEER_FOLDER), quirePath: QUIRE });
}

/** @returns {Promise<readonly Case[]>} */
async function loadInterchangeCases() {
  const [{ installPeer }, { createInterchangeCases }] = await Promise.all([
    import('./peer/install-peer.js'),
    import('./interchange/cases.js'),
  ]);
  return createInterchangeCases({ peerPath: await installPeer(PEER_FOLDER), quirePath: QUIRE });
}

/** @returns {Promise<readonly Case[]>} */
async function loadPeerCases() {
  const [{ installPeer }, { createPeerCases }] = await Promise.all([
    import('./peer/install-peer.js'),
    import('./transports/peer-cases.js'),
  ]);
  return createPeerCases({ peerPath: await installPeer(PEER_FOLDER), quirePath: QUIRE });
}

/** @returns {Promise<readonly Case[]>} */
async function loadGeneralCases() {
  const { loadOpenaiCases } = await import('./transports/openai-cases.js');
  return loadOpenaiCases(path.join(SDK_FOLDER, 'openai'), { quirePath: QUIRE });
}

/**
 * @param {Case} run
 * @param {() => Promise<Lab>} openLab
 * @returns {Promise<string | undefined>} why it failed
 */
async function runCase(run, openLab) {
  const lab = await openLab();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const { timeoutMs = CASE_TIMEOUT_MS } = /** @type {BoundedCase} */ (run);
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([run(lab), timeout]);
    await lab.close();
    return undefined;
  } catch (error) {
    await lab.abandon();
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** `resumeThreadKeepsTheId` → `resume thread keeps the id`. @param {Case} run */
function titleOf(run) {
  return run.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Builds the command and the libraries when a source is newer than they are. */
async function build() {
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/build.js'), '--all', '--if-needed'];
  return (await runCommand(command, { cwd: REPOSITORY_ROOT, inherit: true })).exitCode === 0;
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      peer: { type: 'boolean', default: false },
      transports: { type: 'boolean', default: false },
    },
  });
  if (!(await build())) return 1;
  if (!values.peer) return runCases({ only: values.only, transports: values.transports });
  const { comparePeer } = await import('./peer/compare.js');
  return comparePeer({ folder: PEER_FOLDER, quirePath: QUIRE });
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsageError = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`conformance: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = isUsageError ? 2 : 1;
}
