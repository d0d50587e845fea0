import type { JsonObject } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFileTools } from '../../../src/tools/files/file-tools.ts';
import { FakeFiles, serve } from './file-call.ts';

const SOURCE = `import os

# Opens things.
# Twice.
class Door:
    """A door."""

    # The lock.
    def lock(self):
        if self.open:

            self.close()
\t\tself.locked = True

    def unlock(self):
        self.locked = False

class Window:
    pane = 1
`.split('\n');

async function block(
  lines: readonly string[],
  args: { readonly offset?: number; readonly limit?: number; readonly indentation?: JsonObject },
): Promise<readonly number[]> {
  const tools = createFileTools(new FakeFiles({ files: { '/f': lines } }));
  const { output } = await serve(tools, 'read_file', { file_path: '/f', mode: 'indentation', ...args });
  return output === '' ? [] : [...String(output).matchAll(/^L(\d+): /gm)].map(([, number]) => Number(number));
}

const from = ([first, last]: readonly [number, number]): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_entry, index) => first + index);

describe('the block around a line', () => {
  test.each([
    ['all levels, when none is named', { anchor_line: 12 }, from([3, 19])],
    ['all levels with siblings', { anchor_line: 12, include_siblings: true }, from([1, 19])],
    ['the level above', { anchor_line: 10, max_levels: 1 }, from([8, 16])],
    ['cut short by a blank line of the lowest level', { anchor_line: 12, max_levels: 1 }, from([12, 13])],
    ['two levels above', { anchor_line: 12, max_levels: 2 }, from([8, 16])],
    ['without the comment above', { anchor_line: 12, max_levels: 2, include_header: false }, from([9, 16])],
    ['the level above with its siblings', { anchor_line: 12, max_levels: 2, include_siblings: true }, from([6, 16])],
    ['its own line only, when that is the limit', { anchor_line: 12, max_lines: 1 }, [12]],
    ['as many lines as asked for, one up, one down', { anchor_line: 9, max_lines: 4 }, from([8, 10])],
  ])('is %s [FILE-18]', async (_what, indentation, expected) => {
    expect(await block(SOURCE, { indentation })).toEqual(expected);
  });

  test('begins at the offset unless a line is named, and is limited by `limit` [FILE-18]', async () => {
    expect(await block(SOURCE, { offset: 12, indentation: { max_levels: 1 } })).toEqual([12, 13]);
    expect(await block(SOURCE, { offset: 12, limit: 1, indentation: { max_lines: 9 } })).toEqual([12]);
    expect(await block(SOURCE, { offset: 7, limit: 1 })).toEqual([7]);
    expect(await block(['', ' ', ''], { offset: 2 })).toEqual([]);
  });

  test('is the same as when the whole file is looked at [FILE-19]', async () => {
    const line = fc.oneof(
      fc.constantFrom('', ' ', '# c', '// c', '-- c'),
      fc.tuple(fc.constantFrom('', '  ', '    ', '\t', '\t  ', '        '), fc.constantFrom('x', '# y', '}')),
    );
    const lines = fc.array(
      line.map((parts) => (typeof parts === 'string' ? parts : parts.join(''))),
      { minLength: 1, maxLength: 40 },
    );
    const rules = fc.record({
      anchor: fc.nat({ max: 39 }),
      maxLevels: fc.nat({ max: 3 }),
      siblings: fc.boolean(),
      header: fc.boolean(),
      limit: fc.integer({ min: 1, max: 45 }),
    });
    await fc.assert(
      fc.asyncProperty(lines, rules, async (content, { anchor, maxLevels, siblings, header, limit }) => {
        const anchorLine = (anchor % content.length) + 1;
        const indentation = {
          anchor_line: anchorLine,
          max_levels: maxLevels,
          include_siblings: siblings,
          include_header: header,
        };
        expect(await block(content, { limit, indentation })).toEqual(
          plainBlock(content, { anchorLine, maxLevels, siblings, header, limit }),
        );
      }),
      { numRuns: 500 },
    );
  });
});

/** The rules as they are written down, with two cursors over the whole file. */
function plainBlock(
  lines: readonly string[],
  rules: {
    readonly anchorLine: number;
    readonly maxLevels: number;
    readonly siblings: boolean;
    readonly header: boolean;
    readonly limit: number;
  },
): readonly number[] {
  const indents: number[] = [];
  for (const line of lines) {
    const blanks = /^[ \t]*/.exec(line)?.[0] ?? '';
    indents.push(line.trim() === '' ? (indents.at(-1) ?? 0) : blanks.replaceAll('\t', '    ').length);
  }
  const anchor = rules.anchorLine - 1;
  const limit = Math.min(rules.limit, lines.length);
  if (rules.limit === 1) return [rules.anchorLine];
  const lowest = rules.maxLevels === 0 ? 0 : Math.max(0, (indents[anchor] ?? 0) - 4 * rules.maxLevels);
  let [top, bottom] = [anchor, anchor];
  const seen = { up: 0, down: 0 };
  const open = { up: true, down: true };
  const takes = (at: number, way: 'up' | 'down'): boolean => {
    const indent = indents[at];
    if (indent === undefined || indent < lowest) return false;
    if (indent > lowest || rules.siblings) return true;
    seen[way] += 1;
    return seen[way] === 1 || (way === 'up' && rules.header && /^(#|\/\/|--)/.test((lines[at] ?? '').trim()));
  };
  while (bottom - top + 1 < limit && (open.up || open.down)) {
    if (open.up) open.up = takes(top - 1, 'up');
    if (open.up) top -= 1;
    if (bottom - top + 1 >= limit) break;
    if (open.down) open.down = takes(bottom + 1, 'down');
    if (open.down) bottom += 1;
  }
  while (top <= bottom && (lines[top] ?? '').trim() === '') top += 1;
  while (bottom >= top && (lines[bottom] ?? '').trim() === '') bottom -= 1;
  return from([top + 1, bottom + 1]);
}
