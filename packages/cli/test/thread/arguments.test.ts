import { describe, expect, test } from 'vitest';
import { parseThreadArguments, THREAD_OPTIONS } from '../../src/thread/command-line.ts';
import { THREAD_COMMANDS } from '../../src/thread/commands.ts';
import { THREAD_HELP } from '../../src/thread/help.ts';

/** What of the arguments says which task runs in which thread. */
function taskOf(argv: readonly string[]): unknown {
  const parsed = parseThreadArguments(argv);
  if (parsed.kind !== 'run') return parsed;
  const { thread, submission, skipGitRepoCheck } = parsed.arguments;
  return { thread, submission, skipGitRepoCheck };
}

const resumed = (task: unknown, target: unknown = { kind: 'id', id: 'x' }): unknown => ({
  thread: { kind: 'resume', target },
  submission: { kind: 'task', task },
  skipGitRepoCheck: true,
});
const shell = (script: string, target?: unknown): unknown => resumed({ task: 'shell', script }, target);
const LAST = { kind: 'last', anyDirectory: false };

describe('a task in a stored thread needs no repository', () => {
  const rows: readonly (readonly [readonly string[], unknown])[] = [
    [['compact', 'x'], resumed({ task: 'compact' })],
    [['compact', '--last'], resumed({ task: 'compact' }, LAST)],
    [['--last', '--all', 'undo'], resumed({ task: 'undo' }, { kind: 'last', anyDirectory: true })],
    [['shell', 'x', 'ls -la | wc'], shell('ls -la | wc')],
    [['shell', 'x', 'ls', '-la', '--json', 'a b'], shell("ls -la --json 'a b'")],
    [['shell', 'x', 'ls', '-h'], shell('ls -h')],
    [['shell', '--json', 'x', 'ls', '--help'], shell('ls --help')],
    [['shell', '--last', 'ls', '-C', 'y'], shell('ls -C y', LAST)],
    [['shell', 'x', '--', '-x'], shell('-x')],
    [
      ['fork', '--before', '3', 'x'],
      {
        thread: { kind: 'fork', target: { kind: 'id', id: 'x' }, beforeUserMessage: 3 },
        submission: { kind: 'none' },
        skipGitRepoCheck: true,
      },
    ],
  ];
  test.each(rows)('%j [THR-10]', (argv, expected) => {
    expect(taskOf(argv)).toEqual(expected);
  });
});

describe('wrong usage is one line', () => {
  const known = Object.keys(THREAD_COMMANDS).join(', ');
  const rows: readonly (readonly [readonly string[], string])[] = [
    [[], `a sub-command is missing; known are ${known}`],
    [['lst'], 'unknown sub-command "lst"; did you mean list?'],
    [['something'], `unknown sub-command "something"; known are ${known}`],
    [['list', 'x'], 'unexpected argument "x"'],
    [['list', '--limit', '0'], '--limit must be a whole number above 0, not "0"'],
    [['list', '--before', '1'], '--before does not go with thread list'],
    [['list', '--jsn'], 'unknown option --jsn; did you mean --json?'],
    [['show'], 'show needs a thread id, or --last'],
    [['show', '--all', 'x'], '--all goes with --last'],
    [['rename', 'x'], 'rename needs a name; an empty one takes the name away'],
    [['rename', 'x', 'a', 'b'], 'unexpected argument "b"'],
    [['unarchive'], 'unarchive needs a thread id'],
    [['unarchive', '--last'], '--last does not go with thread unarchive'],
    [['rollback', 'x'], 'rollback needs the number of turns to take back'],
    [['rollback', 'x', '-1'], 'unknown option -1'],
    [['rollback', 'x', '1.5'], 'the number of turns must be a whole number above 0, not "1.5"'],
    [['fork', '-m', 'm', 'x'], '--model does not go with thread fork'],
    [['undo', '-m', 'm', 'x'], '--model does not go with thread undo'],
    [['shell', '-m', 'm', 'x', 'ls'], '--model does not go with thread shell'],
    [['compact', 'x', 'y'], 'unexpected argument "y"'],
    [['compact', '-s', 'read-only', 'x'], 'unknown option -s'],
    [['shell', 'x'], 'shell needs a command'],
    [['shell', 'x', ' '], 'shell needs a command'],
    [['undo', 'x', '--deadline', '0'], '--deadline needs a number of seconds above 0, not "0"'],
  ];
  test.each(rows)('%j [THR-02]', (argv, message) => {
    expect(parseThreadArguments(argv)).toEqual({ kind: 'usage-error', message });
  });
});

test('compact takes the model that compacts [THR-10]', () => {
  const parsed = parseThreadArguments(['compact', '-m', 'small', 'x']);
  expect(parsed).toMatchObject({ kind: 'run', arguments: { model: 'small' } });
});

test.each([[['-h']], [['help']], [['list', '--help']], [['--nope', '--help']], [['shell', '-h']]])(
  '%j asks for help [THR-02]',
  (argv) => {
    expect(parseThreadArguments(argv)).toEqual({ kind: 'help' });
  },
);

test('the help names every sub-command and every option, and no other [THR-02]', () => {
  const named = new Set([...THREAD_HELP.matchAll(/--([a-z-]+)/g)].map((match) => match[1]));
  expect([...named].sort()).toEqual(THREAD_OPTIONS.map(({ name }) => name).sort());
  const commands = [...THREAD_HELP.matchAll(/^ {2}([a-z]+) {2,}|^ {2}([a-z]+) ID/gm)].map(
    (match) => match[1] ?? match[2],
  );
  expect(commands).toEqual(Object.keys(THREAD_COMMANDS));
});
