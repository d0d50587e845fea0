import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitCommand } from '../../src/shell/index.ts';

const words = (script: string): readonly (readonly string[])[] | undefined =>
  splitCommand(script)?.map((command) => command.words);

test('a script of plain commands is split into their words [SHELL-01]', () => {
  expect(words('git status && ls -la | wc -l; cd a\npwd || true')).toEqual([
    ['git', 'status'],
    ['ls', '-la'],
    ['wc', '-l'],
    ['cd', 'a'],
    ['pwd'],
    ['true'],
  ]);
  expect(words('\n\nls &&\n\n pwd;\n')).toEqual([['ls'], ['pwd']]);
});

describe('quotes are removed as a shell does [SHELL-02]', () => {
  test.each([
    [`echo 'a  $b "c"'`, ['echo', 'a  $b "c"']],
    [`echo "a 'b' \\"c\\" \\\\ \\d"`, ['echo', `a 'b' "c" \\ \\d`]],
    [`echo a'b c'"d"e`, ['echo', 'ab cde']],
    [`echo '' ""`, ['echo', '', '']],
    ["echo 'two\nlines'", ['echo', 'two\nlines']],
    [`grep -e 'a&&b' "x;y|z"`, ['grep', '-e', 'a&&b', 'x;y|z']],
    ['cat ~/notes ~', ['cat', '~/notes', '~']],
    ['ls größe/漢', ['ls', 'größe/漢']],
  ])('%s', (script, expected) => {
    expect(words(script)).toEqual([expected]);
  });
});

test('an unquoted pattern is reported, a quoted one is not [SHELL-03]', () => {
  expect(splitCommand("ls *.ts | grep '*'")).toEqual([
    { words: ['ls', '*.ts'], hasGlob: true },
    { words: ['grep', '*'], hasGlob: false },
  ]);
});

describe('a script with anything else is not split [SHELL-04]', () => {
  test.each(
    [
      '',
      ' \n',
      'ls > f',
      'ls 2>&1',
      'cat < f',
      'cat <<EOF\nx\nEOF',
      'cat <(ls)',
      'ls >(cat)',
      'ls $(rm x)',
      'ls `rm x`',
      'ls "$(rm x)"',
      'ls "`rm x`"',
      'echo $HOME',
      'echo "$HOME"',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable
      'echo ${x}',
      "echo $'a'",
      'echo $((1+1))',
      '(ls)',
      '{ ls; }',
      'ls & pwd',
      'ls &',
      'ls |& cat',
      'ls &> f',
      'if true; then ls; fi',
      'for f in a; do ls; done',
      'while true',
      'case a in esac',
      'f() { ls; }',
      'function f',
      '! ls',
      'echo a!b',
      'echo "a!b"',
      'A=1 ls',
      'A=1',
      '"A=1" ls',
      'A+=1',
      'ls # note',
      'ls a#b',
      'echo {a,b}',
      'echo ~root',
      'echo a\\ b',
      'ls \\\n-la',
      "echo 'open",
      'echo "open',
      'echo "a\\',
      'ls;;pwd',
      '&& ls',
      'ls &&',
      'ls || ',
      'ls |',
      '; ls',
      'ls && && pwd',
      'ls\r\npwd',
      'ls\u00A0-la',
      'ls\u2003-la',
      'ls\u3000x',
      'ls\u2028pwd',
      'ls\u0000',
      "ls 'a\u0000'",
      'ls \u200B',
      'l\u001bs',
      '*',
      '/bin/l? x',
      '[ -f x ]',
      '[[ -f x ]]',
      'time ls',
      'coproc ls',
      "'' x",
      'echo =ls',
      'echo ^a',
      'echo a^b',
      'echo "a\\$b"',
      'echo "a\\`b"',
      'echo "a\\\nb"',
      'noglob ls',
      'echo a\\;ls',
    ].map((script) => [script]),
  )('%j', (script) => {
    expect(splitCommand(script)).toBeUndefined();
  });
});

test('a quoted word that looks reserved is a program name [SHELL-04]', () => {
  expect(words("'if' x")).toEqual([['if', 'x']]);
});

test('whatever is split, a real shell reads as the same words [SHELL-14]', () => {
  const character = fc.constantFrom(
    'a',
    'b',
    ' ',
    "'",
    '"',
    '\\',
    '$',
    '`',
    '!',
    '#',
    '~',
    '=',
    '{',
    '}',
    ',',
    '(',
    '<',
    '>',
    '^',
    '%',
    '@',
    ':',
    '/',
    '\t',
    'ü',
    '-',
  );
  const text = fc.oneof(
    fc.array(character, { maxLength: 9 }),
    fc.array(fc.oneof({ arbitrary: fc.constantFrom('a', ' ', '"', "'", 'ü'), weight: 4 }, character), { maxLength: 9 }),
  );
  const samples = fc.sample(text, { numRuns: 6000, seed: 5 }).map((characters) => characters.join(''));
  const accepted = samples.flatMap((sample) => {
    const argv = words(`printf '%s\\0' ${sample}`)?.[0];
    return argv === undefined || sample.includes('~') ? [] : [{ sample, args: argv.slice(2) }];
  });
  expect(accepted.length).toBeGreaterThan(500);
  const script = accepted.map(({ sample }) => `printf '%s\\0' ${sample}; printf '\\1'`).join('\n');
  const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  const read = output
    .split('\x01')
    .slice(0, -1)
    .map((args) => args.split('\0').slice(0, -1));
  // Without arguments printf still writes its format once.
  expect(read).toEqual(accepted.map(({ args }) => (args.length === 0 ? [''] : args)));
});
