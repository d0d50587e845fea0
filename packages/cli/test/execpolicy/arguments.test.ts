import { expect, test } from 'vitest';
import { parseExecPolicyArguments } from '../../src/execpolicy/arguments.ts';

const PLAIN = { files: [], words: ['ls'], pretty: false, resolvesPaths: false };

test.each([
  [['check', 'ls'], PLAIN],
  [['check', '--', 'ls'], PLAIN],
  [['check', '--rules', 'a', '-r', 'b', 'ls'], { ...PLAIN, files: ['a', 'b'] }],
  [['check', '--pretty', '--resolve-host-executables', 'ls'], { ...PLAIN, pretty: true, resolvesPaths: true }],
  [['check', 'ls', '--pretty', '-r', 'x', '--', '-h'], { ...PLAIN, words: ['ls', '--pretty', '-r', 'x', '--', '-h'] }],
])('%j is understood [APR-39]', (argv, expected) => {
  expect(parseExecPolicyArguments(argv)).toEqual({ kind: 'run', arguments: expected });
});

test.each([
  [[], 'a command is missing: check'],
  [['chek'], 'unknown command "chek"'],
  [['check'], 'the command to check is missing'],
  [['check', '--rules'], '--rules needs a value'],
  [['check', '--prety', 'ls'], 'unknown option --prety; did you mean --pretty?'],
])('%j is wrong usage [APR-39]', (argv, message) => {
  expect(parseExecPolicyArguments(argv)).toEqual({ kind: 'usage-error', message });
});

test.each([[['--help']], [['-h']], [['check', '--help']], [['check', '-h', 'ls']]])('%j asks for help', (argv) => {
  expect(parseExecPolicyArguments(argv)).toEqual({ kind: 'help' });
});
