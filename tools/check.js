/**
 * `npm run check`: every check of the repository, side by side, with a line and a time for each.
 *
 *   node tools/check.js                all of them
 *   node tools/check.js NAME…          only these, in this process
 *   node tools/check.js --root DIR …   another folder of the same shape
 *
 * Exit code: 0 clean, 1 findings, 2 wrong arguments.
 */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './lib/run-command.js';
import { REPOSITORY_ROOT, reportResult } from './lib/tool.js';

/** @typedef {import('./lib/tool.js').CheckResult} CheckResult */

/**
 * A program of node_modules, by the file that its package names, so that no `.bin` link decides which version runs.
 * @param {string} root
 * @param {string} file
 * @param {string[]} args
 */
const nodeProgram = (root, file, args) => [process.execPath, path.join(root, 'node_modules', file), ...args];

/**
 * Runs programs one after the other and stops at the first that fails.
 * @param {string} root
 * @param {string[][]} commands
 * @param {string} summary
 * @returns {Promise<CheckResult>}
 */
async function runAll(root, commands, summary) {
  for (const command of commands) {
    const { exitCode, output } = await runCommand(command, { cwd: root });
    if (exitCode !== 0) return { findings: [output.trimEnd() || `exit code ${exitCode}`], summary };
  }
  return { findings: [], summary };
}

/** Slow checks first: they decide how long the whole takes. @type {Record<string, (root: string) => Promise<CheckResult>>} */
const CHECKS = {
  types: (root) => {
    const tsc = 'typescript/bin/tsc';
    const commands = [nodeProgram(root, tsc, ['-b']), nodeProgram(root, tsc, ['-p', 'tsconfig.test.json'])];
    return runAll(root, commands, 'packages, tests and tools');
  },
  literals: async (root) => (await import('./lint/check-literals.js')).checkLiterals(root),
  unused: (root) =>
    runAll(root, [nodeProgram(root, 'knip/bin/knip.js', ['--no-progress', '--no-config-hints'])], 'knip'),
  lint: (root) => {
    const args = [
      'check',
      '--formatter-enabled=false',
      '--error-on-warnings',
      '--max-diagnostics=200',
      '--colors=off',
      '.',
    ];
    return runAll(root, [nodeProgram(root, '@biomejs/biome/bin/biome', args)], 'biome');
  },
  format: (root) =>
    runAll(
      root,
      [nodeProgram(root, '@biomejs/biome/bin/biome', ['format', '--max-diagnostics=200', '--colors=off', '.'])],
      'biome',
    ),
  layers: async (root) => (await import('./layers/check-layers.js')).checkLayers(root),
  architecture: async (root) => (await import('./architecture.js')).checkArchitecture(root),
  requirements: async (root) => (await import('./requirements/check-requirements.js')).checkRequirements(root),
  version: async (root) => (await import('./version.js')).checkVersion(root),
  lockfile: async (root) => (await import('./lockfile.js')).checkLockfile(root),
};

/** @param {readonly string[]} args */
function parseArguments(args) {
  let root = REPOSITORY_ROOT;
  /** @type {string[]} */
  const names = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    const next = args[index + 1];
    if (argument === '--root' && next !== undefined) {
      root = path.resolve(next);
      index += 1;
    } else if (CHECKS[argument] !== undefined) {
      names.push(argument);
    } else {
      process.stderr.write(`unknown check "${argument}"; known: ${Object.keys(CHECKS).join(', ')}, --root DIR\n`);
      process.exit(2);
    }
  }
  return { root, names };
}

/** @param {string} root */
async function runEverything(root) {
  const startedAt = performance.now();
  const waiting = Object.keys(CHECKS);
  /** @type {string[]} */
  const failed = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const started = performance.now();
      const command = [process.execPath, fileURLToPath(import.meta.url), name, '--root', root];
      const { exitCode, output } = await runCommand(command, { cwd: root });
      const lines = output.trimEnd().split('\n');
      const detail = exitCode === 0 ? (lines.at(-1)?.replace(/^.*\((.*)\)$/, '$1') ?? '') : '';
      process.stdout.write(`${exitCode === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(14)}${seconds(started)}  ${detail}\n`);
      const shown = exitCode === 0 ? lines.slice(0, -1) : lines;
      for (const line of shown) process.stdout.write(`      ${line}\n`);
      if (exitCode !== 0) failed.push(name);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  const total = seconds(startedAt).trim();
  if (failed.length === 0) process.stdout.write(`check: all ${Object.keys(CHECKS).length} passed in ${total}\n`);
  else process.stdout.write(`check: ${failed.length} failed in ${total}: ${failed.sort().join(', ')}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** @param {number} startedAt */
function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`;
}

const { root, names } = parseArguments(process.argv.slice(2));
if (names.length === 0) await runEverything(root);
let anyFailed = false;
for (const name of names) {
  const check = CHECKS[name];
  if (check === undefined) continue;
  reportResult(name, await check(root));
  anyFailed ||= process.exitCode === 1;
}
if (anyFailed) process.exitCode = 1;
