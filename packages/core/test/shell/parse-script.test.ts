import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseScript } from '../../src/shell/parse-script.ts';

const words = (script: string): readonly (readonly string[])[] => parseScript(script).map((command) => command.words);

describe('every command of a script is found, wherever it stands [APR-20]', () => {
  test.each<[string, readonly (readonly string[])[]]>([
    ['a b; c | d && e || f & g\nh', [['a', 'b'], ['c'], ['d'], ['e'], ['f'], ['g'], ['h']]],
    ['(a; b)', [['a'], ['b']]],
    ['{ a; b; }', [['a'], ['b']]],
    ['{ a; }; b', [['a'], ['b']]],
    ['if a; then b; elif c; then d; else e; fi', [['a'], ['b'], ['c'], ['d'], ['e']]],
    ['while a; do b; done; until c; do d; done', [['a'], ['b'], ['c'], ['d']]],
    [
      'for x in 1 2; do a $x; done',
      [
        ['for', 'x', 'in', '1', '2'],
        ['a', ''],
      ],
    ],
    ['case $x in y) a;; *) b;; esac', [['case', '', 'in', 'y'], ['a'], ['*'], ['b']]],
    ['f() { a; }; f', [['f'], ['a'], ['f']]],
    ['function f { a; }', [['function', 'f'], ['a']]],
    ['! a', [['a']]],
    [
      'echo $(a b) c',
      [
        ['a', 'b'],
        ['echo', '', 'c'],
      ],
    ],
    [
      'echo "x$(a "b")y"',
      [
        ['a', 'b'],
        ['echo', 'xy'],
      ],
    ],
    [
      'echo `a b`',
      [
        ['a', 'b'],
        ['echo', ''],
      ],
    ],
    ['echo `a \\`b\\``', [['b'], ['a', ''], ['echo', '']]],
    ['echo $(a $(b))', [['b'], ['a', ''], ['echo', '']]],
    ['diff <(a) >(b)', [['a'], ['b'], ['diff', '', '']]],
    ['a > f 2>&1 < g >> h &> i x', [['a', 'x']]],
    ['A=1 B=2 a b', [['a', 'b']]],
    ['a # b\nc', [['a'], ['c']]],
    ['a#b', [['a#b']]],
    ['a \'b c\' "d e" f\\ g', [['a', 'b c', 'd e', 'f g']]],
    ['a\\\nb c', [['ab', 'c']]],
    ["a 'open", [['a', 'open']]],
    ['', []],
    [';;', []],
    ['> f', []],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable
    ['echo ${x:-$(a)}', [['a'], ['echo', '']]],
    [
      'echo $((1 + 2)) b',
      [
        ['1', '+', '2'],
        ['echo', '', 'b'],
      ],
    ],
  ])('%j', (script, expected) => {
    expect(words(script)).toEqual(expected);
  });
});

describe('what the shell makes of a word is known as far as the text tells [APR-21]', () => {
  test.each<[string, readonly (readonly string[])[]]>([
    ["$'\\x72m' $'a\\tb' $'\\u0041\\101'", [['rm', 'a\tb', 'AA']]],
    ['$"rm" x', [['rm', 'x']]],
    ['X=rm; $X y', [['rm', 'y']]],
    ["X='rm -rf y'; $X z", [['rm', '-rf', 'y', 'z']]],
    ['X=\'a b\'; "$X" c', [['a b', 'c']]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable
    ['rm${IFS}-rf${IFS}x', [['rm', '-rf', 'x']]],
    ['rm$IFS-rf x', [['rm', '-rf', 'x']]],
    ['r$@m x', [['rm', 'x']]],
    ['r$1m x', [['rm', 'x']]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable
    ['${x:-rm} y', [['rm', 'y']]],
    ['{rm,-rf,x}', [['rm', '-rf', 'x']]],
    ['r{m..m} x', [['rm', 'x']]],
    ['a{b,c{d,e}}f', [['abf', 'acdf', 'acef']]],
    ['a "{b,c}" \\{d,e}', [['a', '{b,c}', '{d,e}']]],
    ['find . -exec a {} \\;', [['find', '.', '-exec', 'a', '{}', ';']]],
  ])('%j', (script, expected) => {
    expect(words(script)).toEqual(expected);
  });

  test.each(['$X a', '$(which rm) a', '`a` b', 'r* a', '"$X" a', 'r$(true)m a'])(
    'which program %j runs is not',
    (script) => {
      expect(parseScript(script).some(({ isProgramKnown }) => !isProgramKnown)).toBe(true);
    },
  );
});

describe('text on the standard input of a command is kept [APR-22]', () => {
  test.each<[string, string]>([
    ["sh <<'E'\na $b\nE\n", 'a $b'],
    ['sh <<-E\n\ta\n\tE', 'a'],
    ['sh <<< "a b"', 'a b'],
    ['sh <<E | cat\nx\nE', 'x'],
  ])('%j', (script, input) => {
    expect(parseScript(script).find((command) => command.words[0] === 'sh')?.input).toBe(input);
  });

  test('and commands that the shell runs to make it are found, unless the delimiter is quoted', () => {
    expect(words('cat <<E\n$(a)\nE\nb')).toEqual([['cat'], ['a'], ['b']]);
    expect(words("cat <<'E'\n$(a)\nE\nb")).toEqual([['cat'], ['b']]);
    expect(words('cat <<A; cat <<B\n1\nA\n2\nB\nc')).toEqual([['cat'], ['cat'], ['c']]);
  });

  test('a command knows what it reads from', () => {
    expect(parseScript('a | b | c; d').map(({ pipedFrom }) => pipedFrom?.words[0])).toEqual([
      undefined,
      'a',
      'b',
      undefined,
    ]);
  });
});

test('no text makes the reader fail or take long [APR-23]', () => {
  const piece = fc.constantFrom(
    ...[
      "'",
      '"',
      '$',
      '(',
      ')',
      '{',
      '}',
      '`',
      '\\',
      '\n',
      ';',
      '|',
      '&',
      '<',
      '>',
      '<<',
      '#',
      ' ',
      'a',
      '=',
      ',',
      '*',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      expect(Array.isArray(parseScript(pieces.join('')))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  const cpuBefore = process.cpuUsage();
  for (const unit of ['$(', '${', '"${', '"$(', '`', '{a,', '{a,b}', '$X ', '<<E ', '((', "$'", '\\', '${x:-', '<(']) {
    parseScript(unit.repeat(20_000));
  }
  expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(4_000);
});

test('bash starts the very words that were read from quoted scripts [APR-21]', () => {
  const atom = fc.constantFrom("'a b'", '"c d"', 'e', '\\f', "$'\\x67'", '"h\\"i"', "'j\"k'", '{l,m}', 'n{o,p}q', '""');
  const word = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join(''));
  const lines = fc.sample(fc.array(word, { minLength: 1, maxLength: 4 }), { numRuns: 200, seed: 5 });
  const scripts = lines.map((line) => line.join(' '));
  const script = scripts.map((line) => `printf '%s\\0' ${line}; printf '\\1'`).join('\n');
  const output = execFileSync('/bin/bash', ['-c', script], { encoding: 'utf8' });
  const started = output.split('\x01').slice(0, -1);
  expect(scripts.map((line) => `${words(`x ${line}`)[0]?.slice(1).join('\0')}\0`)).toEqual(started);
});
