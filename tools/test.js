/**
 * `npm test`: builds the command if needed, runs vitest with the given arguments, and closes with one plain line
 * `N passed, M failed` (and `, K skipped`). Exit code: 0 when at least one test passed and none failed, else 1.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildBundle, isBundleCurrent } from './build.js';
import { runCommand } from './lib/run-command.js';
import { isMain, REPOSITORY_ROOT, readJson } from './lib/tool.js';

/**
 * @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: { status: string, assertionResults: { status: string }[] }[] }} VitestReport
 * @typedef {{ passed: number, failed: number, skipped: number }} TestCounts
 */

/**
 * Counts the tests of a report. A file that failed before its tests did counts as one failure, and so does an
 * error outside all tests, which shows only in the exit code.
 * @param {VitestReport | undefined} report
 * @param {number} exitCode of vitest
 * @returns {TestCounts}
 */
export function countTests(report, exitCode) {
  const brokenFiles = (report?.testResults ?? []).filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const passed = report?.numPassedTests ?? 0;
  const failed = (report?.numFailedTests ?? 0) + brokenFiles;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const nothingRan = report?.testResults.length === 0;
  return { passed, failed: failed === 0 && exitCode !== 0 && !nothingRan ? 1 : failed, skipped };
}

/** @param {TestCounts} counts */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * @param {string} root
 * @param {readonly string[]} args for vitest
 */
async function runTests(root, args) {
  const directory = await mkdtemp(path.join(tmpdir(), 'quire-test-report-'));
  try {
    const report = path.join(directory, 'report.json');
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const command = [process.execPath, vitest, 'run', ...reporters, ...args];
    const { exitCode } = await runCommand(command, { cwd: root, inherit: true });
    return countTests(existsSync(report) ? await readJson(report) : undefined, exitCode);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  const isBuilt = (await isBundleCurrent(REPOSITORY_ROOT)) || (await buildBundle(REPOSITORY_ROOT));
  const counts = isBuilt
    ? await runTests(REPOSITORY_ROOT, process.argv.slice(2))
    : { passed: 0, failed: 1, skipped: 0 };
  if (counts.passed + counts.failed === 0) process.stdout.write('no test ran\n');
  process.stdout.write(`\n${closingLine(counts)}\n`);
  process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}
