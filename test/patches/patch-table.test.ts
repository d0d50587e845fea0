import { describe, expect, test } from 'vitest';
import { type PatchCase, readPatchTable, sortFiles } from '../../conformance/patch/patch-table.js';
import { applyInForm, PATCH_FORMS, type PatchResult } from './support/patch-forms.ts';

const TABLE = await readPatchTable();

test('the table is large, and its names differ [PATCH-50]', () => {
  expect(TABLE.length).toBeGreaterThanOrEqual(120);
  expect(new Set(TABLE.map(({ name }) => name)).size).toBe(TABLE.length);
});

describe('a patch does the same whichever way it is handed over, and reaches no shell [PATCH-50]', () => {
  test.each(TABLE.map((each) => [each.name, each] as const))('%s', async (_name, patchCase) => {
    const results: PatchResult[] = [];
    for (const form of PATCH_FORMS) results.push(await applyInForm(form, patchCase));
    const [first, ...others] = results;
    expect(first).toBeDefined();
    for (const [index, other] of others.entries()) expect(other, PATCH_FORMS[index + 1]?.title).toEqual(first);
    expect(judged(first)).toEqual(expectation(patchCase));
  });
});

function expectation({ files, after, report = [] }: PatchCase) {
  if (after === null) return { files: sortFiles(files), outcome: 'refused' };
  const lines = ['Exit code: 0', 'Wall time: 0 seconds', 'Output:', 'Success. Updated the following files:', ...report];
  return { files: sortFiles(after), outcome: 'applied', output: [...lines, ''].join('\n') };
}

/** Before anything is written, or by the disk. */
const REFUSAL =
  /^(apply_patch verification failed: \S|patch rejected: empty patch$|Exit code: 1\nWall time: 0 seconds\nOutput:\ncould not \w+ \{root\})/;

/** A refusal is judged by its first words alone, the rest by every character. */
function judged(result: PatchResult | undefined) {
  const { files, output, item } = result ?? {};
  if (item?.kind === 'file-change' && item.status === 'completed') return { files, outcome: 'applied', output };
  expect(output).toMatch(REFUSAL);
  expect(item).toMatchObject(item?.kind === 'file-change' ? { status: 'failed' } : { message: output });
  return { files, outcome: 'refused' };
}
