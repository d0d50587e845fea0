import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { joinWords } from '../../src/thread/join-words.ts';

test('words become a line that a shell reads back as the same words [THR-12]', () => {
  const words = ['printf', '%s\\n', '', "it's", '$HOME', 'a b', '--x=1', '*', '~', 'é'];
  const read = execFileSync('sh', ['-c', `for word in ${joinWords(words)}; do printf '%s\\0' "$word"; done`]);
  expect(read.toString().split('\0').slice(0, -1)).toEqual(words);
});
