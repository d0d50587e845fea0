import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEvidence } from '../../src/rehearsal/evidence.ts';

const PROGRAM = `
import assert from 'node:assert/strict';
import { test } from 'node:test';
test('numbers', () => assert.equal(2, 3));
test('words', () => assert.equal('1h5m', '1h 5m'));
test('nothing', () => assert.equal(undefined, 'x'));
test('a name', () => missing());
test('a method', () => ({}).absent());
test('fine', () => {});
`;

async function runReporter(reporter: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'quire-evidence-'));
  try {
    await writeFile(join(root, 'a.test.mjs'), PROGRAM);
    const { NODE_TEST_CONTEXT: _unused, ...env } = process.env;
    return await new Promise((resolve) => {
      const args = ['--test', `--test-reporter=${reporter}`, 'a.test.mjs'];
      execFile(process.execPath, args, { cwd: root, env }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

describe('reading a test run', () => {
  test.each(['tap', 'spec'])('the %s form gives titles, values and unknown names [SIM-32]', async (reporter) => {
    const evidence = readEvidence(await runReporter(reporter));

    expect(new Set(evidence.failures)).toEqual(new Set(['numbers', 'words', 'nothing', 'a name', 'a method']));
    expect(evidence.mismatches.slice(0, 2)).toEqual([
      { expected: 3, actual: 2 },
      { expected: '1h 5m', actual: '1h5m' },
    ]);
    expect(evidence.mismatches.some(({ expected, actual }) => expected === 'x' && actual === undefined)).toBe(true);
    expect(evidence.unknownNames).toContain('missing');
  });

  test('entries of a list are compared one by one [SIM-32]', () => {
    const output =
      "  expected:\n    0: 'a'\n    1: 'b'\n  actual:\n    0: 'a'\n    1: 'c'\n  operator: 'deepStrictEqual'\n";

    expect(readEvidence(output).mismatches).toEqual([{ expected: 'b', actual: 'c' }]);
  });
});
