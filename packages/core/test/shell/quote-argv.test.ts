import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteArgv } from '../../src/shell/index.ts';

test('a command is shown as one line with as few quotes as it needs [SHELL-12]', () => {
  expect(quoteArgv(['/bin/bash', '-lc', 'echo hi'])).toBe("/bin/bash -lc 'echo hi'");
  expect(quoteArgv(['a', '', 'x=1', 'ü'])).toBe("a '' 'x=1' 'ü'");
  expect(quoteArgv(["it's"])).toBe(`"it's"`);
  expect(quoteArgv([`echo '$x'`])).toBe(`"echo '"'$x'"'"`);
  expect(quoteArgv(['a\\b', 'a^b', '^'])).toBe(`"a\\\\b" a'^b' '^'`);
  expect(quoteArgv(['echo\0', 'a b'])).toBe('echo\0 a b');
});

test('a shell reads the line back as the same arguments [SHELL-13]', () => {
  const word = fc
    .array(
      fc.constantFrom('a', ' ', "'", '"', '\\', '$', '`', '!', '^', '\n', '*', '~', '=', '#', 'ü', '{', '&', '\t'),
      { maxLength: 8 },
    )
    .map((characters) => characters.join(''));
  const argvs = fc.sample(fc.array(word, { minLength: 1, maxLength: 4 }), { numRuns: 300, seed: 11 });
  const script = argvs.map((argv) => `printf '%s\\0' ${quoteArgv(argv)}; printf '\\1'`).join('\n');
  const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  const read = output
    .split('\x01')
    .slice(0, -1)
    .map((words) => words.split('\0').slice(0, -1));
  expect(read).toEqual(argvs);
});
