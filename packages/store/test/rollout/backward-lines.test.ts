import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readLinesBackwards } from '../../src/rollout/backward-lines.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function linesOf(text: string, maxLineBytes: number): Promise<readonly string[]> {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'lines');
  fs.writeFileSync(file, text);
  const lines: string[] = [];
  const handle = await fs.promises.open(file, 'r');
  try {
    await readLinesBackwards(handle, {
      end: Buffer.byteLength(text),
      listener: {
        line: (bytes, { offset, isTail }) => {
          lines.push(`${offset}${isTail ? ' tail' : ''}: ${bytes.toString('utf8', 0, 4)}`);
          return 'continue';
        },
        tooLong: () => lines.push('too long'),
      },
      signal: new AbortController().signal,
      maxLineBytes,
    });
  } finally {
    await handle.close();
  }
  return lines;
}

test('a line that is too long to be held is told, and the lines around it are there [STORE-60]', async () => {
  const long = 'x'.repeat(3_000_000);
  expect(await linesOf(`one\n${long}\nthree\n`, /* maxLineBytes */ 1_000_000)).toEqual([
    '3000005: thre',
    'too long',
    '0: one',
  ]);
});

test('what no line feed ends is the tail, and an empty file has no lines [STORE-62]', async () => {
  expect(await linesOf('one\ntwo', /* maxLineBytes */ 100)).toEqual(['4 tail: two', '0: one']);
  expect(await linesOf('', /* maxLineBytes */ 100)).toEqual([]);
  expect(await linesOf('\n\n', /* maxLineBytes */ 100)).toEqual([]);
});
