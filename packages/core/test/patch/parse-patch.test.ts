import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ParsedPatch, PatchError, parsePatch, patchFailureText } from '../../src/patch/index.ts';
import { patchOf } from './memory-files.ts';

const oneFile: ParsedPatch = { sections: [{ kind: 'add', path: 'x', text: '1\n' }], environmentId: undefined };
const ADD_X = ['*** Add File: x', '+1'];

function failure(patch: string): { code: string; message: string; lineNumber: number | undefined } {
  try {
    parsePatch(patch);
  } catch (error) {
    if (error instanceof PatchError) {
      return { code: error.code, message: error.message, lineNumber: error.lineNumber };
    }
    throw error;
  }
  throw new Error('the patch was accepted');
}

test('a patch is read into its sections, chunks and lines [PATCH-01]', () => {
  const patch = patchOf(
    '*** Add File: new.txt',
    '+one',
    '+',
    '*** Delete File: old.txt',
    '*** Update File: a.py',
    '*** Move to: b.py',
    '@@ def f():',
    ' keep',
    '-gone',
    '+come',
    '',
    '@@',
    '+last',
    '*** End of File',
  );
  expect(parsePatch(patch)).toEqual({
    environmentId: undefined,
    sections: [
      { kind: 'add', path: 'new.txt', text: 'one\n\n' },
      { kind: 'delete', path: 'old.txt' },
      {
        kind: 'update',
        path: 'a.py',
        moveTo: 'b.py',
        chunks: [
          {
            context: 'def f():',
            lines: [
              { kind: 'context', text: 'keep' },
              { kind: 'remove', text: 'gone' },
              { kind: 'add', text: 'come' },
              { kind: 'context', text: '' },
            ],
            atEndOfFile: false,
          },
          { context: undefined, lines: [{ kind: 'add', text: 'last' }], atEndOfFile: true },
        ],
      },
    ],
  });
});

describe('careless spellings are read like exact ones [PATCH-02]', () => {
  test.each([
    ['white space around the patch', `\n \n${patchOf(...ADD_X)}  \n\n`],
    ['indented markers and headers', '  *** Begin Patch \n  *** Add File: x  \n+1\n  *** End Patch'],
    ['CRLF line endings', patchOf(...ADD_X).replaceAll('\n', '\r\n')],
    ['a heredoc wrapper', `<<EOF\n${patchOf(...ADD_X)}\nEOF`],
    ['a heredoc wrapper in single quotes', `<<'EOF'\n${patchOf(...ADD_X)}\nEOF\n`],
    ['a heredoc wrapper in double quotes', `<<"EOF"\n${patchOf(...ADD_X)}\nEOF`],
    ['a repeated end marker', `${patchOf(...ADD_X)}\n*** End Patch`],
  ])('%s', (_name, patch) => {
    expect(parsePatch(patch)).toEqual(oneFile);
  });

  test('the environment line is kept and is no section', () => {
    expect(parsePatch(patchOf('*** Environment ID: box-1', ...ADD_X))).toEqual({ ...oneFile, environmentId: 'box-1' });
  });

  test('blank lines before a chunk marker carry nothing', () => {
    const chunk = ['@@', '-a', '+b', '*** End of File'];
    const plain = parsePatch(patchOf('*** Update File: f', ...chunk, '@@', '+c'));
    expect(parsePatch(patchOf('*** Update File: f', '', ' ', ...chunk, '', '', '@@', '+c'))).toEqual(plain);
  });

  test('blank lines before a first chunk without a marker are its context', () => {
    const [section] = parsePatch(patchOf('*** Update File: f', '', '-a')).sections;
    const lines = [
      { kind: 'context', text: '' },
      { kind: 'remove', text: 'a' },
    ];
    expect(section).toEqual({
      kind: 'update',
      path: 'f',
      moveTo: undefined,
      chunks: [{ context: undefined, lines, atEndOfFile: false }],
    });
  });
});

const HEADERS =
  "A file section starts with one of: '*** Add File: {path}', '*** Delete File: {path}', '*** Update File: {path}'";
const PREFIXES = "Inside a chunk, start each line with ' ' (context), '+' (added) or '-' (removed)";

describe('a malformed patch is refused with its cause and line [PATCH-03]', () => {
  test.each([
    ['no begin marker', `${ADD_X.join('\n')}\n*** End Patch`, 'first', '*** Begin Patch'],
    ['no end marker', `*** Begin Patch\n${ADD_X.join('\n')}`, 'last', '*** End Patch'],
    ['nothing at all', '', 'first', '*** Begin Patch'],
    ['text after the end', `${patchOf(...ADD_X)}\nthanks`, 'last', '*** End Patch'],
  ])('%s', (_name, patch, place, marker) => {
    expect(failure(patch)).toEqual({
      code: 'invalid-patch',
      message: `invalid patch: The ${place} line of the patch must be '${marker}'`,
      lineNumber: undefined,
    });
  });

  test.each([
    ['an unknown header', ['*** Foo: x'], 2, `'*** Foo: x' is not a valid hunk header. ${HEADERS}`],
    ['a header in another case', ['*** add file: x'], 2, `'*** add file: x' is not a valid hunk header. ${HEADERS}`],
    ['an added line without plus', [...ADD_X, 'foo'], 4, `'foo' is not a valid hunk header. ${HEADERS}`],
    ['an update without chunks', [...ADD_X, '*** Update File: f'], 4, "Update file hunk for path 'f' is empty"],
    ['a move alone', ['*** Update File: f', '*** Move to: g'], 2, "Update file hunk for path 'f' is empty"],
    ['a marker without lines', ['*** Update File: f', '@@'], 4, 'Update hunk does not contain any lines'],
    [
      'an end of file without lines',
      ['*** Update File: f', '@@', '*** End of File'],
      4,
      'Update hunk does not contain any lines',
    ],
    [
      'a bad first line',
      ['*** Update File: f', '@@', 'zz '],
      4,
      `Unexpected line found in update hunk: 'zz '. ${PREFIXES}`,
    ],
    [
      'nested markers',
      ['*** Update File: f', '@@ a', '@@ b', '-c'],
      4,
      `Unexpected line found in update hunk: '@@ b'. ${PREFIXES}`,
    ],
    [
      'a bad line after a chunk',
      ['*** Update File: f', '@@', '-a', 'zz'],
      5,
      "Expected update hunk to start with a @@ context marker, got: 'zz'",
    ],
    [
      'a section after the end',
      ['*** Delete File: f', '*** End Patch', '*** Delete File: g'],
      4,
      "'*** Delete File: g' stands after '*** End Patch'",
    ],
  ])('%s', (_name, lines, lineNumber, detail) => {
    expect(failure(patchOf(...lines))).toEqual({
      code: 'invalid-hunk',
      message: `invalid hunk at line ${lineNumber}, ${detail}`,
      lineNumber,
    });
  });

  test('an environment line without an id', () => {
    expect(failure(patchOf('*** Environment ID: ', ...ADD_X)).code).toBe('invalid-patch');
  });
});

test('the model reads that verification failed and why [PATCH-04]', () => {
  const error = new PatchError('lines-not-found', 'Failed to find expected lines in /w/f:\nx');
  expect(patchFailureText(error)).toBe('apply_patch verification failed: Failed to find expected lines in /w/f:\nx');
  expect(patchFailureText(new PatchError('empty-patch', 'patch rejected: empty patch'))).toBe(
    'patch rejected: empty patch',
  );
});

test('any text is read or refused with a patch error, never worse [PATCH-05]', () => {
  const line = fc.constantFrom(
    '*** Begin Patch',
    '*** End Patch',
    '*** Update File: f',
    '*** Move to: g',
    '*** Add File: x',
    '*** Delete File: f',
    '*** End of File',
    '@@',
    '@@ a',
    '+a',
    '-a',
    ' a',
    '',
    ' ',
    'zz',
    '<<EOF',
    'EOF',
    '*** Environment ID: e',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 14 }), fc.boolean(), (lines, isWrapped) => {
      const text = isWrapped ? patchOf(...lines) : lines.join('\n');
      try {
        parsePatch(text);
      } catch (error) {
        expect(error).toBeInstanceOf(PatchError);
      }
    }),
    { numRuns: 2000 },
  );
});
