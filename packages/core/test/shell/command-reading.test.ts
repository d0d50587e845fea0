import { expect, test } from 'vitest';
import { readCommand } from '../../src/shell/index.ts';

test.each<[string, readonly string[], string, readonly (readonly string[])[]]>([
  ['a program without a shell', ['ls', '-l'], 'argv', [['ls', '-l']]],
  ['bash -lc', ['bash', '-lc', 'a b && c'], 'script', [['a', 'b'], ['c']]],
  ['zsh, which counts as bash', ['/bin/zsh', '-c', 'a; b'], 'script', [['a'], ['b']]],
  ['sh by its path', ['/usr/bin/sh', '-c', 'a'], 'script', [['a']]],
  ['another flag', ['bash', '-x', 'a'], 'argv', [['bash', '-x', 'a']]],
  ['more arguments', ['bash', '-c', 'a', 'b'], 'argv', [['bash', '-c', 'a', 'b']]],
  ['another shell', ['fish', '-c', 'a'], 'argv', [['fish', '-c', 'a']]],
  ['a redirection', ['bash', '-c', 'a > b'], 'opaque', [['bash', '-c', 'a > b']]],
  ['a group', ['bash', '-c', '{ a; }'], 'opaque', [['bash', '-c', '{ a; }']]],
  ['a heredoc', ['bash', '-c', "cat a <<'E'\n$(b)\nE\n"], 'heredoc', [['cat', 'a']]],
  ['a bare heredoc', ['bash', '-c', 'cat <<E\nb\nE'], 'heredoc', [['cat']]],
  ['a heredoc with tabs', ['bash', '-c', 'cat <<-"E"\n\tb\n\tE'], 'heredoc', [['cat']]],
  ['a heredoc that runs something', ['bash', '-c', 'cat <<E\n$(b)\nE'], 'opaque', [['bash', '-c', 'cat <<E\n$(b)\nE']]],
  ['a heredoc in a pipe', ['bash', '-c', 'cat <<E | b\nc\nE'], 'opaque', [['bash', '-c', 'cat <<E | b\nc\nE']]],
  ['a command before a heredoc', ['bash', '-c', 'a; cat <<E\nc\nE'], 'opaque', [['bash', '-c', 'a; cat <<E\nc\nE']]],
  ['a command behind a heredoc', ['bash', '-c', 'cat <<E\nc\nE\nb'], 'opaque', [['bash', '-c', 'cat <<E\nc\nE\nb']]],
  ['a heredoc without an end', ['bash', '-c', 'cat <<E\nc'], 'opaque', [['bash', '-c', 'cat <<E\nc']]],
  ['two heredocs', ['bash', '-c', 'cat <<A <<B\n1\nA\n2\nB'], 'opaque', [['bash', '-c', 'cat <<A <<B\n1\nA\n2\nB']]],
])('%s is read as the commands that decisions are about [APR-27]', (_title, argv, form, segments) => {
  const reading = readCommand(argv);
  expect({ form: reading.form, segments: reading.segments.map(({ words }) => words) }).toEqual({ form, segments });
});
