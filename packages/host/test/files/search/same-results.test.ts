import { chmodSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkspaceFiles } from '@quire/host';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRipgrep } from '../../../src/files/search/ripgrep.ts';
import { put } from '../../support/git-repository.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Without ripgrep on the machine there is nothing to compare with. */
const ripgrep = findRipgrep(process.env['PATH']);
const never = new AbortController().signal;

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;

beforeAll(async () => {
  folder = await temporaryDirectory();
  root = join(folder.path, 'project');
  writeCorpus(root);
});

afterAll(() => folder[Symbol.asyncDispose]());

describe.skipIf(ripgrep === undefined)('the built-in search finds what ripgrep finds', () => {
  test.each([
    // Plain text and what looks like syntax.
    'needle',
    'Needle',
    'a.b',
    'a\\.b',
    '\\$\\{x\\}',
    'x]',
    'x}',
    'a-b',
    '/path/to',
    '"quoted"',
    'föhn',
    '日本',
    // Anchors, words, sets.
    '^needle',
    'needle$',
    '^$',
    '^',
    '\\bneedle\\b',
    '\\Beedle',
    '\\bföhn\\b',
    '\\w+\\s\\d+',
    '\\W{3}',
    '^\\S+$',
    '\\D\\d\\D',
    '[[:alpha:]]+[[:digit:]]',
    '[[:^alpha:]]{4}',
    '[[:nope:]]',
    '[a-c&&[^b]]z',
    '[a-z--[b]]z',
    '[]x]',
    '[^]x]',
    '[-a]b',
    '[a-]b',
    '[.+*]',
    '[\\d\\s]{2}',
    '[^\\w\\s]{2}',
    '[a-z&&b-d&&c-f]z',
    '[[a-c][x-z]]z',
    '\\pL\\pN',
    '\\p{Greek}',
    '\\p{Lu}\\p{Ll}+',
    '\\PL{4}',
    '\\x41',
    '\\x{65E5}',
    '\\u00f6',
    '\\t',
    '\\r$',
    // Groups, choices, repetitions.
    '(needle|Nadel)',
    '(?:a|b)+z',
    '(?P<name>a)b',
    '(?i)NEEDLE',
    '(?i)FÖHN',
    '(?im)^needle',
    '(?s)a.b',
    '(?U)a+b',
    'a{2}',
    'a{2,}',
    'a{1,2}b',
    'a**b',
    'a+*b',
    '(a*)*b',
    '^*needle',
    'a??b',
    'a|',
    '()',
    'x*',
    'n.*e.*e.*l',
    '.{200}',
  ])('%s [FILE-30]', async (pattern) => {
    expect(await search({ pattern }, OWN)).toEqual(await search({ pattern }, REAL));
  });

  test.each([
    '(',
    ')',
    '[a',
    'a{2',
    'a{3,2}',
    '*a',
    '+',
    'a|*',
    '\\',
    '(?=a)',
    '(?<!a)b',
    '(a)\\1',
    '(?z)a',
    '[b-a]',
    '\\p{Nope}',
    '\\p{^L}',
    '\\y',
    'a\nb',
    'a\\nb',
    '\\x{110000}',
  ])('both refuse %j [FILE-31]', async (pattern) => {
    const answers = [await search({ pattern }, OWN), await search({ pattern }, REAL)];
    expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'failed']);
  });

  test.each([
    '*.ts',
    '!*.ts',
    '*.{ts,md}',
    'src/*.ts',
    '/src/**',
    'src/**/*.ts',
    '**/deep/*',
    '**',
    'src',
    'src/',
    '[ab]*.ts',
    '[!ab]*.ts',
    '[a-c]?.ts',
    '?.ts',
    '.hidden*',
    '.dot/**',
    'ignored.log',
    '*.log',
    '!src/',
    '!**/deep',
    'a\\*.ts',
    '*.TS',
    '#comment',
    '*[',
    '{a,b',
  ])('within the glob %s [FILE-32]', async (include) => {
    const [own, real] = [await search({ include }, OWN), await search({ include }, REAL)];
    if (real.kind === 'failed') expect(own.kind).toBe('failed');
    else expect(own).toEqual(real);
  });

  test.each(['src', 'src/deep', '.dot', 'ignored-folder', 'src/nested', 'binary.bin', 'ignored.log', 'link-to-src'])(
    'in %s, however it is hidden or ignored [FILE-33]',
    async (path) => {
      expect(await search({ pattern: 'needle', path }, OWN)).toEqual(await search({ pattern: 'needle', path }, REAL));
    },
  );

  test('for any pattern of letters and common syntax [FILE-30]', async () => {
    const atom = fc.constantFrom('a', 'b', 'z', '.', '\\w', '\\d', '[ab]', '[^a]', '\\b', '^', '$', '(a|b)', ' ');
    const piece = fc.tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{1,2}')).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 5 }), async (pieces) => {
        const pattern = pieces.join('');
        // ripgrep takes a beginning behind something, or an end before something, for what never matches.
        fc.pre(!/[^[]\^|\$./.test(pattern));
        // What is no UTF-8 is read a little differently.
        const query = { pattern, include: '!latin1.txt' };
        expect(await search(query, OWN)).toEqual(await search(query, REAL));
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

const REAL = { hasRipgrep: true } as const;
const OWN = { hasRipgrep: false } as const;

function search(
  query: { readonly pattern?: string; readonly include?: string; readonly path?: string },
  { hasRipgrep }: { readonly hasRipgrep: boolean },
): ReturnType<ReturnType<typeof createWorkspaceFiles>['search']> {
  const environment = { PATH: hasRipgrep ? process.env['PATH'] : '', HOME: join(folder.path, 'home') };
  const { pattern = '', include, path = '.' } = query;
  return createWorkspaceFiles({ environment }).search(
    { pattern, include, path: join(root, path), cwd: root, limit: 1_000 },
    { signal: never },
  );
}

function writeCorpus(at: string): void {
  const files: Record<string, string | Buffer> = {
    'a.ts': 'needle\n',
    'b.ts': 'the needle here\nand a Nadel\n',
    'ab.ts': 'needles\nNeedle\n',
    'c1.ts': 'az bz cz dz\naab ab b\n',
    'a*.ts': 'a*b\n',
    '#comment': 'x\n',
    'README.md': '# Title\n\nfree text with a.b and axb and a-b 42\n',
    'code.md': 'const x = `$' + '{x}`; y[x] /path/to "quoted"\n',
    'unicode.txt': 'Der föhn bläst\nλόγος 日本語\nFÖHN\n',
    'crlf.txt': 'first\r\nneedle\r\n',
    'empty.txt': '',
    'blank.txt': '\n\n',
    'tabs.txt': '\tneedle\tx1y\n',
    'no-end.txt': 'last needle',
    'long.txt': `${'n'.repeat(300)}needle\n`,
    'upper.TS': 'needle\n',
    'bom.txt': Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from('needle with a mark\n')]),
    'utf16.txt': Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from('needle\nzz\n', 'utf16le')]),
    'latin1.txt': Buffer.from('needle \xe4x\n', 'latin1'),
    'binary.bin': Buffer.from('needle\n\0\x01\x02'),
    'late-binary.bin': Buffer.concat([
      Buffer.from('needle\n'),
      Buffer.from('text and text\n'.repeat(10_000)),
      Buffer.from('\0'),
    ]),
    'binary-before.bin': Buffer.concat([
      Buffer.from('text and text\n'.repeat(10_000)),
      Buffer.from('\0'),
      Buffer.from('\nneedle\n'),
    ]),
    'far.txt': `${'some text here\n'.repeat(20_000)}needle at the end\n`,
    '.hidden.ts': 'needle\n',
    '.dot/inside.ts': 'needle\n',
    '.github/workflow.yml': 'needle\n',
    'ignored.log': 'needle\n',
    'kept.log': 'needle\n',
    'ignored-folder/file.ts': 'needle\n',
    'src/a.ts': 'needle\n',
    'src/by-ignore.ts': 'needle\n',
    'src/by-rgignore.ts': 'needle\n',
    'src/back.ts': 'needle\n',
    'src/deep/b.ts': 'needle\n',
    'src/deep/deeper/c.ts': 'needle\n',
    'src/deep/build/d.ts': 'needle\n',
    'src/nested/.git/HEAD': 'ref: refs/heads/main\n',
    'src/nested/also.log': 'needle\n',
    'src/nested/excluded.ts': 'needle\n',
    'src/nested/own.ts': 'needle\n',
    'excluded.ts': 'needle\n',
    'global.bak': 'needle\n',
    '../outside.ts': 'needle\n',
    '.git/HEAD': 'ref: refs/heads/main\n',
    '.git/info/exclude': 'excluded.ts\n',
    '.gitignore':
      '# comment\n*.log\n!kept.log\nignored-folder/\nbuild\n!.github\n/src/back.ts\n\\#nothing\ntrailing   \n[\n',
    '.ignore': 'by-ignore.ts\n!/src/back.ts\n',
    'src/.rgignore': 'by-rgignore.ts\n',
    'src/nested/.gitignore': '/own.ts\n',
    '../.gitignore': 'README.md\n',
    '../.ignore': 'code.md\n',
    '../home/.config/git/ignore': '*.bak\n',
  };
  let seconds = 1_700_000_000;
  for (const [path, content] of Object.entries(files)) {
    put(at, path, content);
    seconds += ((seconds * 7) % 11) - 5; // neither in order nor all different
    utimesSync(join(at, path), seconds, seconds);
  }
  symlinkSync('a.ts', join(at, 'link.ts'));
  symlinkSync('src', join(at, 'link-to-src'));
  symlinkSync('.', join(at, 'src/loop'));
  mkdirSync(join(at, 'empty-folder'));
  chmodSync(join(at, 'a.ts'), 0o600);
}
