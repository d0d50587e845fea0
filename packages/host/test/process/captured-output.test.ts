import { expect, test } from 'vitest';
import { CapturedOutput, joinOutput } from '../../src/process/captured-output.ts';

const CAP = 1024 * 1024;

/** What a stream keeps of `bytes` when they arrive in pieces of `chunkBytes`. */
function capture(bytes: Uint8Array, { chunkBytes }: { readonly chunkBytes: number }): CapturedOutput {
  const captured = new CapturedOutput();
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    captured.append(bytes.subarray(start, start + chunkBytes));
  }
  return captured;
}

/** Lines that differ from each other, so that every byte kept in the wrong place shows. */
function numberedLines(byteCount: number): Buffer {
  const lines: string[] = [];
  for (let length = 0; length < byteCount; length += 12) lines.push(`line ${String(lines.length).padStart(6, '0')}\n`);
  return Buffer.from(lines.join('')).subarray(0, byteCount);
}

const sizes = [0, 1, CAP / 2 - 1, CAP / 2, CAP / 2 + 1, CAP - 1, CAP, CAP + 1, CAP * 1.5, CAP * 1.5 + 7, CAP * 3 + 5];

test.each(sizes)('of %d bytes the first and the last are kept, however they arrive [HOST-09]', (size) => {
  const bytes = numberedLines(size);
  const omittedBytes = Math.max(0, size - CAP);
  const half = CAP / 2;
  const head = bytes.toString('utf8', 0, half);
  const expected = {
    output:
      omittedBytes === 0
        ? bytes.toString()
        : `${head}${head.endsWith('\n') ? '' : '\n'}…[${omittedBytes} bytes left out here]…\n${bytes.toString('utf8', size - half)}`,
    omittedBytes,
    totalLines: Math.ceil(size / 12),
  };
  for (const chunkBytes of [5_003, 65_536, 700_000, 10_000_000]) {
    // Not with toEqual: a difference of two megabytes takes a minute to print.
    const joined = joinOutput(capture(bytes, { chunkBytes }), new CapturedOutput());
    expect({ ...joined, output: joined.output === expected.output }).toEqual({ ...expected, output: true });
  }
});

test('characters that a cut would divide are left out and counted as such [HOST-09]', () => {
  const bytes = Buffer.from(`x${'€'.repeat(400_000)}`);
  const { output, omittedBytes } = joinOutput(capture(bytes, { chunkBytes: 65_536 }), new CapturedOutput());
  // 524,288 = 1 + 3 * 174,762 + 1 and 524,288 = 3 * 174,762 + 2
  const [head, tail] = [`x${'€'.repeat(174_762)}`, '€'.repeat(174_762)];
  expect(omittedBytes).toBe(bytes.length - Buffer.byteLength(head) - Buffer.byteLength(tail));
  expect(output === `${head}\n…[${omittedBytes} bytes left out here]…\n${tail}`).toBe(true);
});

test('a stream that is whole but over its share is cut in the middle too [HOST-10]', () => {
  const stdout = numberedLines(CAP / 2);
  const stderr = numberedLines(CAP);
  const joined = joinOutput(capture(stdout, { chunkBytes: 65_536 }), capture(stderr, { chunkBytes: 65_536 }));
  const third = Math.floor(CAP / 3);
  expect({ ...joined, output: joined.output.length }).toEqual({
    output: CAP + `…[${CAP / 2 - third} bytes left out here]…\n\n…[${third} bytes left out here]…\n\n`.length,
    omittedBytes: CAP / 2,
    totalLines: Math.ceil((CAP * 1.5) / 12),
  });
  expect([
    joined.output.startsWith('line 000000\n'),
    joined.output.endsWith(stderr.toString('utf8', CAP - 99)),
  ]).toEqual([true, true]);
});

const counted: readonly [string, string, number][] = [
  ['', '', 0],
  ['a', '', 1],
  ['a\n', '', 1],
  ['a\n', 'b', 2],
  ['a', 'b\n', 1],
  ['\n\n', '\n', 3],
  ['', 'a\n\nb', 3],
];

test.each(counted)('lines are counted over both streams: %j and %j [HOST-09]', (stdout, stderr, totalLines) => {
  const joined = joinOutput(
    capture(Buffer.from(stdout), { chunkBytes: 1 }),
    capture(Buffer.from(stderr), { chunkBytes: 100 }),
  );
  expect(joined).toEqual({ output: stdout + stderr, omittedBytes: 0, totalLines });
});

test('lines are counted at every position and alignment [HOST-09]', () => {
  const bytes = Buffer.alloc(5_000);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = (index * 7919) % 256;
  bytes.fill(0x0a, 3_000, 4_500); // more in a row than a byte can count
  for (let start = 0; start < 9; start += 1) {
    const part = bytes.subarray(start, bytes.length - start);
    const captured = new CapturedOutput();
    captured.append(part);
    expect(captured.newlines).toBe(part.filter((byte) => byte === 0x0a).length);
  }
});
