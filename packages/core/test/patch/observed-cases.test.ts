import { describe, expect, test } from 'vitest';
import { PatchError } from '../../src/patch/index.ts';
import { type Files, filesAfter, plan } from './memory-files.ts';
import observed from './observed-cases.json' with { type: 'json' };

interface ObservedCase {
  readonly name: string;
  readonly files: Files;
  readonly patch: string;
  /** Files after the patch; `null`: refused. */
  readonly after: Files | null;
  /** Lines of the report after its first one. */
  readonly report?: readonly string[];
}

const cases = observed as unknown as readonly ObservedCase[];

// Inputs are our own; results were recorded from the peer's program, 0.169.0, on Linux.
describe('a patch has the result that the peer was observed to give [PATCH-20]', () => {
  test.each(cases.map((each) => [each.name, each] as const))('%s', async (_name, { files, patch, after, report }) => {
    if (after === null) {
      await expect(async () => plan(patch, files)).rejects.toThrow(PatchError);
      return;
    }
    const result = await plan(patch, files);
    expect(filesAfter(files, result)).toEqual(after);
    expect(result.successText).toBe(['Success. Updated the following files:', ...(report ?? []), ''].join('\n'));
  });
});
