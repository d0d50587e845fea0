import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyUpdate, type PatchChunk, type PatchLine } from '../../src/patch/index.ts';
import { updated } from './memory-files.ts';

describe('a chunk is found by its lines', () => {
  test('at the first place at or after the previous chunk [PATCH-06]', async () => {
    expect(await updated('a\na\na\n', '@@', '-a', '+1', '@@', '-a', '+2')).toBe('1\n2\na\n');
  });

  test('behind the line that its marker names [PATCH-07]', async () => {
    expect(await updated('def f\n x\ndef g\n x\n', '@@ def g', '- x', '+ y')).toBe('def f\n x\ndef g\n y\n');
  });

  test('a named line that is missing is an error [PATCH-07]', async () => {
    await expect(updated('a\n', '@@ nowhere', '-a')).rejects.toMatchObject({
      code: 'context-not-found',
      message: "Failed to find context 'nowhere' in /w/f",
      path: '/w/f',
    });
  });

  test('lines that are missing are an error that repeats them [PATCH-08]', async () => {
    await expect(updated('a\nb\n', '@@', ' a', '-x', '+y')).rejects.toMatchObject({
      code: 'lines-not-found',
      message: 'Failed to find expected lines in /w/f:\na\nx',
      path: '/w/f',
    });
  });

  test('a chunk that stands before the previous one is not found [PATCH-06]', async () => {
    await expect(updated('a\nb\n', '@@', '-b', '@@', '-a')).rejects.toMatchObject({ code: 'lines-not-found' });
  });

  test('at the end only, when it is marked so [PATCH-09]', async () => {
    expect(await updated('a\nb\na\n', '@@', '-a', '+z', '*** End of File')).toBe('a\nb\nz\n');
    await expect(updated('a\nb\n', '@@', '-a', '*** End of File')).rejects.toMatchObject({ code: 'lines-not-found' });
  });

  test('without its empty last line when the file has none there [PATCH-10]', async () => {
    expect(await updated('a\nb\n', '@@', '-b', '+B', '')).toBe('a\nB\n');
    expect(await updated('a\nb\n', '@@', '-b', '-', '+B', '+')).toBe('a\nB\n');
    expect(await updated('a\nb\n', '@@', '-b', '+B', ' ', '+z')).toBe('a\nB\n\nz\n');
  });

  test('lines that only come are put at the end, also under a named line [PATCH-11]', async () => {
    expect(await updated('a\nb\n', '@@ a', '+z', '@@', '-b', '+B')).toBe('a\nB\nz\n');
    expect(await updated('', '@@', '+z')).toBe('z\n');
  });
});

describe('looser matches count only where no stricter one exists [PATCH-12]', () => {
  test.each([
    ['equal before different blanks', 'a  \na\n', ['-a', '+X'], 'a  \nX\n'],
    ['trailing blanks before leading ones', '  a\na \n', ['-a', '+X'], '  a\nX\n'],
    ['leading blanks', '\t a\n', ['-a', '+X'], 'X\n'],
    ['dashes and minus', 'a \u2014 b \u2212 c\n', ['-a - b - c', '+X'], 'X\n'],
    ['quotes', '\u2018a\u2019 \u201Cb\u201D\n', [`-'a' "b"`, '+X'], 'X\n'],
    ['special spaces', 'a\u00A0b\u202Fc\u3000d\n', ['-a b c d', '+X'], 'X\n'],
    ['typographic characters in the patch', 'a - b\n', ['-a \u2013 b', '+X'], 'X\n'],
  ])('%s', async (_name, text, lines, expected) => {
    expect(await updated(text, '@@', ...lines)).toBe(expected);
  });
});

describe('what the patch does not change stays', () => {
  test("the file's own spelling of context lines [PATCH-13]", async () => {
    expect(await updated('\ta  \nb\n\u2014\n', '@@', ' a', '-b', '+B', ' -')).toBe('\ta  \nB\n\u2014\n');
  });

  test('CRLF, also for lines that come [PATCH-14]', async () => {
    expect(await updated('a\r\nb\r\nc', '@@', ' a', '-b', '+B', '+D')).toBe('a\r\nB\r\nD\r\nc');
  });

  test('each line ending of a file that mixes them [PATCH-14]', async () => {
    expect(await updated('a\nb\r\nc\r\n', '@@', '-b', '+x', '+y')).toBe('a\nx\ny\nc\r\n');
  });

  test('lone CR, in a file without LF [PATCH-14]', async () => {
    expect(await updated('a\rb', '@@', '-b', '+x')).toBe('a\rx');
  });

  test('a byte order mark, which is no part of the first line [PATCH-15]', async () => {
    expect(await updated('\uFEFFa\nb\n', '@@', '-a', '+A')).toBe('\uFEFFA\nb\n');
    expect(await updated('\uFEFFa\n', '@@', '-\uFEFFa', '+\uFEFFA')).toBe('\uFEFFA\n');
  });

  test('a missing ending of the last line, unless nothing but it can be meant [PATCH-16]', async () => {
    expect(await updated('a\nb', '@@', '-a', '+A')).toBe('A\nb');
    expect(await updated('a\r\nb', '@@', ' a', '-b')).toBe('a');
    expect(await updated('a\nb\r', '@@', '-a', '+A')).toBe('A\nb\r');
    expect(await updated('a', '@@', '-a')).toBe('');
    expect(await updated('a\nb', '@@', '-b', '+b')).toBe('a\nb\n');
    expect(await updated('a\nb', '@@', '-a', '+a')).toBe('a\nb');
  });
});

test('any chunk cut from a file, edited and applied gives the edited file [PATCH-17]', () => {
  const text = fc.constantFrom('a', 'b', '', ' c', 'd ');
  const line = fc.record({ kind: fc.constantFrom<PatchLine['kind']>('context', 'add', 'remove'), text });
  fc.assert(
    fc.property(fc.array(fc.array(line, { minLength: 1, maxLength: 8 }), { maxLength: 4 }), (parts) => {
      // Every chunk follows a line that is nowhere else, so its place is beyond doubt.
      const chunks = parts.map(
        (lines, index): PatchChunk => ({
          context: `chunk ${index}`,
          lines: [...lines, { kind: 'context', text: `end ${index}` }],
          atEndOfFile: false,
        }),
      );
      const render = (without: PatchLine['kind']): string =>
        chunks
          .flatMap(({ context, lines }) => [
            context,
            ...lines.filter(({ kind }) => kind !== without).map((l) => l.text),
          ])
          .map((each) => `${each}\n`)
          .join('');
      expect(applyUpdate({ path: '/w/f', text: render('add'), chunks })).toBe(render('remove'));
    }),
    { numRuns: 300 },
  );
});

/** Chunks that match only after mapping typographic characters: the most expensive level. */
function largeUpdate(lineCount: number): { text: string; chunks: PatchChunk[] } {
  const lines = Array.from({ length: lineCount }, (_, i) => (i % 100 === 0 ? `  \u201Citem ${i}\u201D` : 'same'));
  const chunks = Array.from(
    { length: lineCount / 100 },
    (_, i): PatchChunk => ({
      context: undefined,
      lines: [
        { kind: 'context', text: `"item ${i * 100}"` },
        { kind: 'remove', text: 'same' },
        { kind: 'add', text: 'new' },
      ],
      atEndOfFile: false,
    }),
  );
  return { text: `${lines.join('\n')}\n`, chunks };
}

test('a thousand loosely matching chunks on a hundred thousand lines are applied [PATCH-18]', () => {
  const { text, chunks } = largeUpdate(/* lineCount */ 100_000);
  const cpuBefore = process.cpuUsage();
  const result = applyUpdate({ path: '/w/f', text, chunks });
  // Searching every chunk line by line takes over a hundred million comparisons per level.
  expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(3_000);
  expect(result.split('\n').filter((line) => line === 'new')).toHaveLength(1_000);
});

test('one chunk with hundreds of thousands of changes is applied [PATCH-18]', () => {
  const lines = Array.from(
    { length: 400_000 },
    (_, index): PatchLine => ({
      kind: index % 2 === 0 ? 'context' : 'remove',
      text: `${index}`,
    }),
  );
  const text = lines.map((line) => `${line.text}\n`).join('');
  const result = applyUpdate({ path: '/w/f', text, chunks: [{ context: undefined, lines, atEndOfFile: false }] });
  expect(result.slice(0, 6)).toBe('0\n2\n4\n');
  expect(result.split('\n')).toHaveLength(200_001);
});
