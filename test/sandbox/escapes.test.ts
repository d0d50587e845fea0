import { writeFile } from 'node:fs/promises';
import { createSandbox } from '@quire/host';
import { beforeAll, describe, expect, test } from 'vitest';
import { GROUPS } from './attempts/all.ts';
import { tableOf } from './support/escape-table.ts';
import { type Result, runCorpus } from './support/run-corpus.ts';

/** Where the table of docs/sandbox-escapes.md goes; set by tools/sandbox-escapes.js. */
const TABLE_FILE = process.env['QUIRE_ESCAPES_TABLE'];
/** Two processors are enough for them; with more lanes, those that wait for a moment wait longer. */
const LANES = 4;
const ALL_MS = 600_000;

const isLinux = process.platform === 'linux';
const report = isLinux ? await createSandbox().probe() : { chosen: undefined, tried: [] };
const backends = report.tried.filter(({ works }) => works).map(({ backend }) => backend);
const attempts = GROUPS.flatMap((group) => group.attempts);

test('at least sixty attempts, each with a name of its own [SBX-40]', () => {
  expect(attempts.length).toBeGreaterThanOrEqual(60);
  expect(new Set(attempts.map(({ id }) => id)).size).toBe(attempts.length);
  expect(new Set(attempts.map(({ title }) => title)).size).toBe(attempts.length);
});

describe.runIf(isLinux)('an attempt to get out', () => {
  let results: ReadonlyMap<string, Result>;
  beforeAll(async () => {
    results = await runCorpus(backends, { lanes: LANES });
    if (TABLE_FILE !== undefined) await writeFile(TABLE_FILE, tableOf(report, results));
  }, ALL_MS);

  test('is made with a backend that works [SBX-40]', () => {
    expect(backends).not.toEqual([]);
  });

  describe.each(GROUPS)('at $name $requirement', (group) => {
    test.for(group.attempts)('$id works when nothing confines it: $title [SBX-41]', (attempt, { skip }) => {
      const { missing, unconfined } = results.get(attempt.id) ?? { missing: [], unconfined: undefined };
      if (missing.length > 0) skip(`${missing.join(', ')} is not installed`);
      if (unconfined?.traces.length === 0 && attempt.canFailUnconfined !== undefined) skip(attempt.canFailUnconfined);
      expect(unconfined?.traces, unconfined?.said).not.toEqual([]);
    });

    describe.each(backends)('%s', (backend) => {
      test.for(group.attempts)('$id is contained: $title', ({ id }, { skip }) => {
        const { missing = [], confined = {} } = results.get(id) ?? {};
        if (missing.length > 0) skip(`${missing.join(', ')} is not installed`);
        expect(confined[backend]?.traces, confined[backend]?.said).toEqual([]);
      });
    });
  });
});
