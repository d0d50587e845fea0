import { expect, test } from 'vitest';
import { safeLine, safeText } from '../../src/exec/safe-text.ts';

const ROWS: readonly (readonly [string, string])[] = [
  ['plain ä 漢 🙂\n\ttext', 'plain ä 漢 🙂\n\ttext'],
  ['\u001b[1;31mred\u001b[0m', 'red'],
  ['\u001b]0;title\u0007a', 'a'],
  ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
  ['\u001bP1$r\u001b\\a', 'a'],
  ['\u001b(Ba\u001bc', 'a'],
  ['\u001b]never ends\nnext', '\nnext'],
  ['\u009b31mred', 'red'],
  ['end \u001b', 'end ␛'],
  ['cut \u001b[31', 'cut ␛[31'],
  ['a\r\nb', 'a\nb'],
  ['10%\r20%', '10%␍20%'],
  ['a\u0000b\u0008c\u007fd', 'a␀b␈c␡d'],
  ['a\u0085b', 'a<U+0085>b'],
  ['\u202egnp.exe', '<U+202E>gnp.exe'],
];

for (const [input, expected] of ROWS) {
  test(`${JSON.stringify(input)} is shown as ${JSON.stringify(expected)} [EXEC-53]`, () => {
    expect(safeText(input)).toBe(expected);
  });
}

test('one line stays one line [EXEC-53]', () => {
  expect(safeLine('a\nb\tc')).toBe('a⏎b c');
});
