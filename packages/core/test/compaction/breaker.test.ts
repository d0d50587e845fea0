import { expect, test } from 'vitest';
import { CompactionBreaker } from '../../src/compaction/breaker.ts';

function afterMarks(marks: readonly string[]): CompactionBreaker {
  const breaker = new CompactionBreaker();
  for (const mark of marks) breaker.noteCompaction(mark);
  return breaker;
}

test.each([
  [[], false],
  [['1', '1'], false],
  [['1', '1', '1'], true],
  [['1', '2', '2'], false],
  [['1', '1', '2', '2'], false],
  [['1', '2', '2', '2'], true],
])('three compactions in a row without progress between them open it: %j [CORE-212]', (marks, isOpen) => {
  expect(afterMarks(marks).isOpen).toBe(isOpen);
});

test('a message of the user closes it, and counting begins anew [CORE-212]', () => {
  const breaker = afterMarks(['1', '1', '1']);
  expect(breaker.message).toContain('compacted 3 times in a row');
  breaker.noteUserInput();
  breaker.noteCompaction('1');
  breaker.noteCompaction('1');

  expect(breaker.isOpen).toBe(false);
});
