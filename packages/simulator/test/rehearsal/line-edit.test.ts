import { expect, test } from 'vitest';
import { patchOf, reverseEdit } from '../../src/rehearsal/line-edit.ts';

const block = ['function f() {', '  let sum = 0;', '  sum += 1;', '  return sum;', '}'];

test('a patch holds the changed line with two lines around it, and its reverse undoes it [SIM-39]', () => {
  const edit = { path: 'src/a.js', lines: block, lineIndex: 2, after: '  sum += 2;' };

  expect(patchOf(edit).split('\n')).toEqual([
    '*** Begin Patch',
    '*** Update File: src/a.js',
    '@@',
    ' function f() {',
    '   let sum = 0;',
    '-  sum += 1;',
    '+  sum += 2;',
    '   return sum;',
    ' }',
    '*** End Patch',
  ]);
  expect(patchOf(reverseEdit(edit))).toContain('-  sum += 2;\n+  sum += 1;');
});

test('a patch for the second of two equal blocks reaches up to where they differ [SIM-39]', () => {
  const lines = [...block, 'second:', ...block];

  expect(patchOf({ path: 'a.js', lines, lineIndex: 8, after: '  sum += 2;' })).toContain(
    '@@\n second:\n function f() {\n',
  );
});
