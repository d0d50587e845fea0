import path from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../lib/run-command.js';
import { REPOSITORY_ROOT } from '../lib/tool.js';
import { closingLine, countTests } from '../test.js';

/** @param {Partial<import('../test.js').VitestReport>} parts */
const report = (parts) => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...parts,
});

test('the closing line is plain, and names skipped tests only when there are some [REPO-15]', () => {
  expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(closingLine({ passed: 12, failed: 1, skipped: 3 })).toBe('12 passed, 1 failed, 3 skipped');
});

test('tests are counted from the report; skipped and todo go together [REPO-15]', () => {
  const counted = report({ numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 });
  expect(countTests(counted, /* exitCode */ 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
});

test('a file that failed before its tests did is one failure [REPO-15]', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
    { status: 'passed', assertionResults: [{ status: 'passed' }] },
  ];
  const counted = report({ numPassedTests: 2, numFailedTests: 1, testResults });
  expect(countTests(counted, /* exitCode */ 1)).toEqual({ passed: 2, failed: 2, skipped: 0 });
});

test('a run without any test has nothing passed and nothing failed [REPO-15]', () => {
  expect(countTests(report({}), /* exitCode */ 1)).toEqual({ passed: 0, failed: 0, skipped: 0 });
});

test('an exit code without a failed test is a failure, and so is a missing report [REPO-15]', () => {
  const testResults = [{ status: 'passed', assertionResults: [{ status: 'passed' }] }];
  const counted = report({ numPassedTests: 2, testResults });
  expect(countTests(counted, /* exitCode */ 1)).toEqual({ passed: 2, failed: 1, skipped: 0 });
  expect(countTests(counted, /* exitCode */ 0)).toEqual({ passed: 2, failed: 0, skipped: 0 });
  expect(countTests(/* report */ undefined, /* exitCode */ 127)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('the command fails when no test matches, and closes with the plain line [REPO-15]', async () => {
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/test.js'), '--no-color', 'no-such-file'];
  const { exitCode, output } = await runCommand(command, { cwd: REPOSITORY_ROOT });
  expect({ exitCode, end: output.trimEnd().split('\n').slice(-3) }).toEqual({
    exitCode: 1,
    end: ['no test ran', '', '0 passed, 0 failed'],
  });
});
