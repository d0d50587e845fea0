import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDangerousArgv, isDangerousCommand, isKnownSafeCommand, reachableCommands } from '../../src/shell/index.ts';

describe('a forced removal is found behind whatever runs it [APR-24]', () => {
  test.each(
    [
      '{ rm -rf x; }',
      '( ( rm -rf x ) )',
      'f() { rm -rf x; }; f',
      '\\rm -rf x',
      "'rm' -rf x",
      'r""m -rf x',
      "$'rm' -rf x",
      '{rm,-rf,x}',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable
      'rm${IFS}-rf${IFS}x',
      'X=rm; $X -rf y',
      "X='-rf y'; rm $X",
      '$TOOL -rf y',
      '/bin/r? -rf y',
      '/usr/bin/../bin/rm -rf y',
      'env -i A=1 B=2 rm -rf x',
      'env -u PATH rm -f x',
      "env -S 'rm -rf x'",
      'env -- rm -f x',
      'command -p rm -rf x',
      'exec -a ls rm -rf x',
      'exec rm -rf x',
      'builtin command rm -rf x',
      'timeout -s KILL 5 rm -rf x',
      'timeout --signal=KILL 5 rm -rf x',
      'timeout --signal KILL 5 rm -rf x',
      'nice -n 5 rm -rf x',
      'nice -5 rm -rf x',
      'sudo -u root -- rm -rf x',
      'sudo -uroot rm -rf x',
      'sudo --user root rm -rf x',
      'sudo -X what rm -rf x',
      'sudo A=1 rm -rf x',
      'xargs -0 -n 1 rm -f',
      'xargs -I{} rm -rf {}',
      'echo -rf x | xargs rm',
      "find . -name '*.o' -exec rm -f {} +",
      'find . -execdir sudo rm -rf {} \\;',
      "find . -exec sh -c 'rm -rf x' \\;",
      'time -p rm -rf x',
      'setsid -w rm -rf x',
      'stdbuf -oL rm -rf x',
      'flock /tmp/l rm -rf x',
      'busybox rm -rf x',
      'noglob rm -rf x',
      "bash -euo pipefail -c 'rm -rf x'",
      "bash -x -c 'rm -rf x'",
      "bash -c -e 'rm -rf x'",
      "sudo -u root bash -lc 'cd a && rm -rf b'",
      "su root -c 'rm -rf x'",
      "zsh -c 'rm -rf x'",
      "dash -c 'rm -rf x'",
      "$SHELL -c 'rm -rf x'",
      "echo 'rm -rf x' | sh",
      "printf 'rm -rf x\\n' | bash -s",
      "bash <<'E'\nrm -rf x\nE",
      "sh <<< 'rm -rf x'",
      'cat <<E\n$(rm -rf x)\nE',
      "trap 'rm -rf x' EXIT",
      "alias ls='rm -rf x'",
      "eval 'eval rm -rf x'",
      'eval "$(echo ls; rm -rf x)"',
      'if a; then b; else rm -rf x; fi',
      'case a in a) rm -rf x;; esac',
      'a || rm -rf x',
      'a |& rm -rf x',
      'a &\nrm -rf x',
      'diff <(rm -rf x) y',
      '! rm -rf x',
      'coproc rm -rf x',
      'repeat 3 rm -rf x',
      '\trm\t-rf\tx',
      '# note\nrm -rf x',
      'rm\\\n -rf x',
      'A=1 B=2 rm -rf x',
    ].map((script) => [script]),
  )('%j', (script) => {
    expect([isDangerousCommand(script), isKnownSafeCommand(script)]).toEqual([true, false]);
    expect(isDangerousArgv(['bash', '-lc', script])).toBe(true);
  });
});

describe('a command that only looks like one is not [APR-24]', () => {
  test.each(
    [
      'git commit -m "rm -rf x"',
      'sudo -u rm ls -f',
      'timeout 5 ls -f',
      'xargs grep -f x',
      'find . -name rm -print',
      '# rm -rf x',
      "cat <<'E'\n$(rm -rf x)\nE",
      'tar -rf x.tar y',
      '$CC -fPIC x.c',
      '$MAKE -f other',
      "echo 'rm -rf x' | cat",
      'npm run rm -- -f',
    ].map((script) => [script]),
  )('%j', (script) => {
    expect(isDangerousCommand(script)).toBe(false);
  });
});

describe('an argument vector is looked through as well [APR-24]', () => {
  test.each([
    [['sudo', '-n', 'rm', '-rf', 'x']],
    [['env', 'A=1', 'rm', '-f', 'x']],
    [['/usr/bin/env', 'bash', '-c', 'rm -rf x']],
    [['nohup', 'sh', '-c', '{ rm -rf x; }']],
    [['find', '.', '-exec', 'rm', '-f', '{}', ';']],
  ])('%j', (argv) => {
    expect(isDangerousArgv(argv)).toBe(true);
  });

  test('without a shell nothing is expanded', () => {
    expect(isDangerousArgv(['echo', '$(rm -rf x)'])).toBe(false);
    expect(isDangerousArgv(['$X', '-rf', 'x'])).toBe(false);
  });
});

test('every command is listed with what it runs [APR-24]', () => {
  expect(reachableCommands(['bash', '-lc', "sudo -u a env B=1 c d; find . -exec e {} +; sh -c 'f; g'"])).toEqual(
    [
      ['bash', '-lc', "sudo -u a env B=1 c d; find . -exec e {} +; sh -c 'f; g'"],
      ['sudo', '-u', 'a', 'env', 'B=1', 'c', 'd'],
      ['env', 'B=1', 'c', 'd'],
      ['c', 'd'],
      ['find', '.', '-exec', 'e', '{}', '+'],
      ['e', '{}'],
      ['sh', '-c', 'f; g'],
      ['f'],
      ['g'],
    ].map((words) => ({ words, isProgramKnown: true })),
  );
});

/** Ways to write one character so that the shell reads just it. */
const character = (text: string): fc.Arbitrary<string> => {
  const hex = text.charCodeAt(0).toString(16).padStart(2, '0');
  return fc.constantFrom(
    text,
    `'${text}'`,
    `"${text}"`,
    `\\${text}`,
    `$'${text}'`,
    `$'\\x${hex}'`,
    `${text}''`,
    `""${text}`,
  );
};
const written = (word: string): fc.Arbitrary<string> =>
  fc.tuple(...[...word].map(character)).map((characters) => characters.join(''));
const line = (words: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(...words.map(written)).map((all) => all.join(' '));

test('a forced removal stays dangerous however it is quoted and wrapped [APR-25]', () => {
  const removal = fc.oneof(line(['rm', '-rf', 'x']), line(['/bin/rm', '-f', 'x']), line(['rm', 'x', '--force']));
  const wrap = fc.constantFrom<(script: string) => string>(
    (script) => script,
    (script) => `{ ${script}; }`,
    (script) => `(${script})`,
    (script) => `ls && ${script} | cat`,
    (script) => `echo "$(${script})"`,
    (script) => `sudo -n ${script}`,
    (script) => `A=1 env -i ${script}`,
    (script) => `if true; then ${script}; fi`,
    (script) => `bash -c '${script.replaceAll("'", "'\\''")}'`,
    (script) => `timeout 9 nohup ${script} > log 2>&1 &`,
  );
  fc.assert(
    fc.property(removal, wrap, wrap, (script, inner, outer) => {
      expect(isDangerousCommand(outer(inner(script)))).toBe(true);
    }),
    { numRuns: 1_500 },
  );
});

test('a script that is known safe has only words and the signs && || ; | in it [APR-26]', () => {
  const piece = fc.constantFrom(
    ...['ls', 'cat', 'pwd', 'head -n 3', "'a b'", '"c"', 'x.ts', '-l', 'rm', '>', '<', '$', '`', '(', ')', '{', '}'],
    ...['&', '&&', '||', ';', '|', '\n', '#', '!', '\\', '*', '~', '=', "'", '"', '$(', '<<E'],
  );
  let safe = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 7 }), fc.constantFrom(' ', ''), (pieces, between) => {
      const script = pieces.join(between);
      if (!isKnownSafeCommand(script)) return;
      safe += 1;
      const bare = script.replaceAll(/'[^']*'|"[^"$`\\!]*"/g, '');
      expect(bare.replaceAll(/&&|\|\||[;|\n]/g, '')).toMatch(/^[\w\s.,:/@%+=*?~[\]-]*$/);
      expect(isDangerousCommand(script)).toBe(false);
    }),
    { numRuns: 6_000, seed: 3 },
  );
  expect(safe).toBeGreaterThan(100);
});
