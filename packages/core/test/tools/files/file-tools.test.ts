import type { DirectoryEntry } from '@quire/core';
import { describe, expect, test } from 'vitest';
import { createFileTools } from '../../../src/tools/files/file-tools.ts';
import { FakeFiles, refusal, serve } from './file-call.ts';

const LINES = Array.from({ length: 30 }, (_entry, index) => `line ${index + 1}`);

test('the file tools are offered in order, not strict and closed to other fields, and may overlap [FILE-01]', () => {
  const shapes = createFileTools(new FakeFiles()).map(({ name, kind, parallelSafe, spec }) => {
    if (spec?.type !== 'function') throw new Error(name);
    const { properties, required, additionalProperties } = spec.parameters;
    return {
      name,
      kind,
      parallelSafe,
      strict: spec.strict,
      additionalProperties,
      required,
      fields: Object.keys(Object(properties)),
    };
  });
  const shared = { kind: 'file', parallelSafe: true, strict: false, additionalProperties: false };
  expect(shapes).toEqual([
    { ...shared, name: 'grep_files', required: ['pattern'], fields: ['pattern', 'include', 'path', 'limit'] },
    {
      ...shared,
      name: 'read_file',
      required: ['file_path'],
      fields: ['file_path', 'offset', 'limit', 'mode', 'indentation'],
    },
    { ...shared, name: 'list_dir', required: ['dir_path'], fields: ['dir_path', 'offset', 'limit', 'depth'] },
  ]);
});

describe('wrong arguments', () => {
  test.each([
    ['grep_files', '{"pattern"', /^failed to parse function arguments: .*JSON/],
    ['grep_files', '[]', 'failed to parse function arguments: expected a JSON object'],
    ['grep_files', {}, 'failed to parse function arguments: missing field `pattern`'],
    ['grep_files', { pattern: 1 }, 'failed to parse function arguments: `pattern` must be a string'],
    ['grep_files', { pattern: 'a', include: [] }, 'failed to parse function arguments: `include` must be a string'],
    ['grep_files', { pattern: 'a', limit: 1.5 }, 'failed to parse function arguments: `limit` must be a whole number'],
    ['grep_files', { pattern: 'a', limit: -1 }, 'failed to parse function arguments: `limit` must be a whole number'],
    ['grep_files', { pattern: 'a', limit: 0 }, '`limit` must be at least 1'],
    ['grep_files', { pattern: ' \n ' }, '`pattern` must not be empty'],
    ['read_file', {}, 'failed to parse function arguments: missing field `file_path`'],
    ['read_file', { file_path: 'a' }, '`file_path` must be an absolute path, and "a" is not'],
    ['read_file', { file_path: '/a', offset: 0 }, '`offset` must be at least 1'],
    ['read_file', { file_path: '/a', limit: 0 }, '`limit` must be at least 1'],
    [
      'read_file',
      { file_path: '/a', limit: '9' },
      'failed to parse function arguments: `limit` must be a whole number',
    ],
    [
      'read_file',
      { file_path: '/a', mode: 'all' },
      'failed to parse function arguments: `mode` must be `slice` or `indentation`',
    ],
    [
      'read_file',
      { file_path: '/a', mode: 'indentation', indentation: 3 },
      'failed to parse function arguments: `indentation` must be an object',
    ],
    [
      'read_file',
      { file_path: '/a', mode: 'indentation', indentation: { include_header: 'yes' } },
      'failed to parse function arguments: `include_header` must be true or false',
    ],
    [
      'read_file',
      { file_path: '/a', mode: 'indentation', indentation: { anchor_line: 0 } },
      '`anchor_line` must be at least 1',
    ],
    [
      'read_file',
      { file_path: '/a', mode: 'indentation', indentation: { max_lines: 0 } },
      '`max_lines` must be at least 1',
    ],
    ['list_dir', {}, 'failed to parse function arguments: missing field `dir_path`'],
    ['list_dir', { dir_path: './a' }, '`dir_path` must be an absolute path, and "./a" is not'],
    ['list_dir', { dir_path: '/a', depth: 0 }, '`depth` must be at least 1'],
    ['list_dir', { dir_path: '/a', offset: 0 }, '`offset` must be at least 1'],
    ['list_dir', { dir_path: '/a', limit: 0 }, '`limit` must be at least 1'],
  ])('are refused: %s %j [FILE-02]', async (tool, args, message) => {
    const result = await serve(createFileTools(new FakeFiles()), tool, args);
    expect(result).toEqual(refusal(tool, typeof message === 'string' ? message : expect.stringMatching(message)));
  });
});

describe('grep_files', () => {
  test('searches what it is asked for, with its defaults and its cap [FILE-03]', async () => {
    const files = new FakeFiles({ found: ['/repo/b', '/repo/a'] });
    const tools = createFileTools(files);
    const found = { output: '/repo/b\n/repo/a', endItem: undefined };
    expect(await serve(tools, 'grep_files', { pattern: '  a b ' })).toEqual(found);
    expect(
      await serve(tools, 'grep_files', { pattern: 'a', include: ' *.ts ', path: '../x/./y', limit: 9_999 }),
    ).toEqual(found);
    await serve(tools, 'grep_files', { pattern: 'a', include: ' ', path: '/abs', limit: 1 });
    const cwd = '/repo';
    expect(files.queries).toEqual([
      { pattern: 'a b', include: undefined, path: '/repo', cwd, limit: 100 },
      { pattern: 'a', include: '*.ts', path: '/x/y', cwd, limit: 2_000 },
      { pattern: 'a', include: undefined, path: '/abs', cwd, limit: 1 },
    ]);
  });

  test('says that nothing was found, and what went wrong [FILE-04]', async () => {
    const tools = createFileTools(new FakeFiles());
    expect(await serve(tools, 'grep_files', { pattern: 'a' })).toEqual({
      output: 'No matches found.',
      endItem: undefined,
      failed: true,
    });
    expect(await serve(tools, 'grep_files', { pattern: '(' })).toEqual(
      refusal('grep_files', 'rg failed: unclosed group'),
    );
  });
});

describe('read_file', () => {
  const tools = createFileTools(
    new FakeFiles({ files: { '/f': LINES, '/empty': [], '/wide': [`${'ö'.repeat(249)}xyö`], '/blank': ['', ' '] } }),
  );
  const read = async (args: object) => (await serve(tools, 'read_file', { file_path: '/f', ...args })).output;

  test('shows lines with their numbers, from where and as many as asked for [FILE-05]', async () => {
    expect(await read({})).toBe(LINES.map((line, index) => `L${index + 1}: ${line}`).join('\n'));
    expect(await read({ offset: 29 })).toBe('L29: line 29\nL30: line 30');
    expect(await read({ offset: 9, limit: 2 })).toBe('L9: line 9\nL10: line 10');
    expect(await read({ file_path: '/blank' })).toBe('L1: \nL2:  ');
  });

  test('cuts each line to 500 bytes, between characters [FILE-06]', async () => {
    expect(await read({ file_path: '/wide' })).toBe(`L1: ${'ö'.repeat(249)}xy`);
  });

  test.each([
    [{ offset: 31 }, 'offset exceeds file length'],
    [{ file_path: '/empty' }, 'offset exceeds file length'],
    [{ file_path: '/nowhere' }, 'no /nowhere'],
    [
      { mode: 'indentation', indentation: { anchor_line: 31 } },
      'anchor_line exceeds file length: it is 31, of 30 lines',
    ],
  ])('refuses what is not there: %j [FILE-07]', async (args, message) => {
    expect(await serve(tools, 'read_file', { file_path: '/f', ...args })).toEqual(refusal('read_file', message));
  });

  test('shows 2,000 lines unless told otherwise, and says where it had to stop [FILE-08]', async () => {
    const long = new FakeFiles({ files: { '/long': Array.from({ length: 20_000 }, () => 'x'.repeat(600)) } });
    const lines = async (args: object): Promise<readonly string[]> =>
      String((await serve(createFileTools(long), 'read_file', { file_path: '/long', ...args })).output).split('\n');
    expect((await lines({})).length).toBe(2_000);
    const all = await lines({ limit: 20_000 });
    // 4 MiB of lines of 500 bytes with their numbers.
    expect(all.length).toBeLessThan(8_400);
    expect(all.at(-1)).toBe(`(too long to show at once: read on from line ${all.length})`);
  });
});

describe('list_dir', () => {
  const ENTRIES: readonly DirectoryEntry[] = [
    { path: 'src', type: 'directory' },
    { path: 'src-old', type: 'file' },
    { path: 'link', type: 'link' },
    { path: 'pipe', type: 'other' },
    { path: 'src/a.ts', type: 'file' },
    { path: 'src/deep', type: 'directory' },
    { path: 'src/deep/b.ts', type: 'file' },
    { path: '\u{1f600}', type: 'file' },
    { path: '\uff5e', type: 'file' },
  ];
  const list = async (args: object, entries = ENTRIES) =>
    serve(createFileTools(new FakeFiles({ entries })), 'list_dir', { dir_path: '/d', ...args });

  test('shows levels by indentation and kinds by a suffix, sorted by path [FILE-09]', async () => {
    const lines = (all: readonly string[]) => ({
      output: ['Absolute path: /d', ...all].join('\n'),
      endItem: undefined,
    });
    const [top, two] = [
      ['link@', 'pipe?', 'src/'],
      ['link@', 'pipe?', 'src/', 'src-old', '  a.ts', '  deep/', '\uff5e', '\u{1f600}'],
    ];
    expect(await list({})).toEqual(lines(two));
    expect(await list({ depth: 1, limit: 3 })).toEqual(lines([...top, 'More than 3 entries found']));
    expect(await list({ depth: 9, offset: 6, limit: 2 })).toEqual(
      lines(['  deep/', '    b.ts', 'More than 2 entries found']),
    );
    expect(await list({ offset: 8 })).toEqual(lines(['\u{1f600}']));
  });

  test('shows 25 entries unless told otherwise, each cut to 500 bytes [FILE-09]', async () => {
    const many = Array.from({ length: 26 }, (_entry, index) => ({ path: `${index + 10}`, type: 'file' }) as const);
    expect(
      String((await list({}, many)).output)
        .split('\n')
        .slice(-2),
    ).toEqual(['34', 'More than 25 entries found']);
    const long = await list({}, [{ path: 'ö'.repeat(300), type: 'directory' }]);
    expect(long.output).toBe(`Absolute path: /d\n${'ö'.repeat(250)}/`);
  });

  test('shows an empty directory, and refuses what is beyond the end or missing [FILE-16]', async () => {
    expect(await list({}, [])).toEqual({ output: 'Absolute path: /d', endItem: undefined });
    expect(await list({ offset: 9 })).toEqual(refusal('list_dir', '`offset` is 9 and /d has 8 entries'));
    expect(await list({ dir_path: '/missing' })).toEqual(refusal('list_dir', 'no /missing'));
  });
});

test.each([
  ['grep_files', { pattern: 'a' }],
  ['read_file', { file_path: '/f' }],
  ['list_dir', { dir_path: '/d' }],
])('%s ends with the signal of its turn [FILE-17]', async (tool, args) => {
  const reason = new Error('stop');
  const serving = serve(createFileTools(new FakeFiles()), tool, args, { signal: AbortSignal.abort(reason) });
  await expect(serving).rejects.toBe(reason);
});
