import { describe, expect, test } from 'vitest';
import { EXEC_OPTIONS, type ExecArguments, parseExecArguments } from '../../src/exec/arguments.ts';
import { EXEC_HELP } from '../../src/exec/help.ts';

const DEFAULTS: ExecArguments = {
  resume: undefined,
  prompt: undefined,
  configOverrides: [],
  images: [],
  model: undefined,
  sandboxMode: undefined,
  workingDirectory: undefined,
  additionalDirectories: [],
  threadSource: undefined,
  skipGitRepoCheck: false,
  ephemeral: false,
  ignoreUserConfig: false,
  outputSchemaPath: undefined,
  color: 'auto',
  json: false,
  receipt: false,
  lastMessagePath: undefined,
  deadlineSeconds: undefined,
  warnings: [],
};

const ID = '01a1fb78-4bdd-7351-aa59-3fb83be1e59d';
const WITH_FLAG: Partial<ExecArguments> = {
  sandboxMode: 'workspace-write',
  warnings: ['--full-auto is deprecated; use -s workspace-write'],
};

describe('accepted [EXEC-10]', () => {
  const rows: readonly (readonly [string, readonly string[], Partial<ExecArguments>])[] = [
    ['nothing', [], {}],
    ['a prompt', ['hi'], { prompt: 'hi' }],
    ['a dash', ['-'], {}],
    ['a prompt after --', ['--', '--json'], { prompt: '--json' }],
    ['the name of a sub-command after --', ['--', 'resume'], { prompt: 'resume' }],
    ['options around the prompt', ['--json', 'hi', '-m', 'a'], { prompt: 'hi', json: true, model: 'a' }],
    ['the alias of --json', ['--experimental-json'], { json: true }],
    ['--name=value', ['--model=a=b'], { model: 'a=b' }],
    ['-nVALUE', ['-ma'], { model: 'a' }],
    ['-n=VALUE', ['-m=a'], { model: 'a' }],
    ['a value that is a dash', ['-o', '-'], { lastMessagePath: '-' }],
    ['repeated options', ['-c', 'a=1', '--config=b=2', '-cc=3'], { configOverrides: ['a=1', 'b=2', 'c=3'] }],
    ['image lists', ['-i', 'a,b', '--image', 'c', 'hi'], { images: ['a', 'b', 'c'], prompt: 'hi' }],
    [
      'directories',
      ['-C', '/x', '--add-dir', '/y', '--add-dir', '/z'],
      { workingDirectory: '/x', additionalDirectories: ['/y', '/z'] },
    ],
    ['full access', ['--dangerously-bypass-approvals-and-sandbox'], { sandboxMode: 'danger-full-access' }],
    ['its short name', ['--yolo'], { sandboxMode: 'danger-full-access' }],
    ['--full-auto', ['--full-auto'], WITH_FLAG],
    ['a deadline', ['--deadline', '1.5'], { deadlineSeconds: 1.5 }],
    [
      'flags',
      ['--skip-git-repo-check', '--ephemeral', '--ignore-user-config', '--color', 'never', '--thread-source', 's'],
      { skipGitRepoCheck: true, ephemeral: true, ignoreUserConfig: true, color: 'never', threadSource: 's' },
    ],
    ['resume', ['resume', ID], { resume: { kind: 'id', id: ID } }],
    ['resume with a prompt', ['resume', ID, 'more'], { resume: { kind: 'id', id: ID }, prompt: 'more' }],
    ['resume --last', ['resume', '--last', 'more'], { resume: { kind: 'last', anyDirectory: false }, prompt: 'more' }],
    ['resume --last --all', ['--all', 'resume', '--last'], { resume: { kind: 'last', anyDirectory: true } }],
    [
      'the order of the SDK',
      [
        '--json',
        '-s',
        'read-only',
        '--cd',
        '/x',
        '--output-schema',
        '/s',
        'resume',
        ID,
        '--image',
        'a',
        '--image',
        'b',
      ],
      {
        json: true,
        sandboxMode: 'read-only',
        workingDirectory: '/x',
        outputSchemaPath: '/s',
        resume: { kind: 'id', id: ID },
        images: ['a', 'b'],
      },
    ],
  ];
  for (const [name, argv, expected] of rows) {
    test(name, () => {
      expect(parseExecArguments(argv)).toEqual({ kind: 'run', arguments: { ...DEFAULTS, ...expected } });
    });
  }

  for (const argv of [['-h'], ['--nope', '--help'], ['help'], ['resume', '--help']]) {
    test(`${argv.join(' ')} asks for help`, () => {
      expect(parseExecArguments(argv)).toEqual({ kind: 'help' });
    });
  }
});

describe('refused [EXEC-11]', () => {
  const rows: readonly (readonly [readonly string[], string])[] = [
    [['--jsn'], 'unknown option --jsn; did you mean --json?'],
    [['--output-shema=x'], 'unknown option --output-shema; did you mean --output-schema?'],
    [['-Z'], 'unknown option -Z'],
    [['-m'], '-m needs a value'],
    [['-m', '--json'], '-m needs a value'],
    [['--model='], '--model needs a value that is not empty'],
    [['-m', 'a', '-m', 'b'], '-m was given twice'],
    [['--json=yes'], '--json takes no value'],
    [['-s', 'all'], '--sandbox must be one of read-only, workspace-write, danger-full-access, not "all"'],
    [['--color', 'red'], '--color must be one of always, never, auto, not "red"'],
    [['-c', 'novalue'], '-c needs key=value, not "novalue"'],
    [['-c', '=1'], '-c needs key=value, not "=1"'],
    [['--deadline', 'soon'], '--deadline needs a number of seconds above 0, not "soon"'],
    [['--deadline', '0'], '--deadline needs a number of seconds above 0, not "0"'],
    [['--yolo', '-s', 'read-only'], '--dangerously-bypass-approvals-and-sandbox can not be combined with -s'],
    [['--yolo', '--full-auto'], '--dangerously-bypass-approvals-and-sandbox can not be combined with --full-auto'],
    [['one', 'two'], 'unexpected argument "two"; put the prompt in quotes'],
    [['resume'], 'resume needs a thread id, or --last'],
    [['resume', '--all'], '--all goes with --last'],
    [['resume', '--last', 'a', 'b'], 'unexpected argument "b"; put the prompt in quotes'],
    [['--last', 'hi'], '--last goes with the sub-command resume'],
    [['fork', ID], 'the sub-command fork is not supported yet by quire exec'],
    [['review', '--uncommitted'], '--uncommitted is not supported yet by quire exec'],
    [['review'], 'the sub-command review is not supported yet by quire exec'],
    [['--oss'], '--oss is not supported yet by quire exec'],
    [['-p', 'work'], '-p is not supported yet by quire exec'],
    [['--enable', 'x'], '--enable is not supported yet by quire exec'],
  ];
  for (const [argv, message] of rows) {
    test(argv.join(' '), () => {
      expect(parseExecArguments(argv)).toEqual({ kind: 'usage-error', message });
    });
  }
});

test('the help names every supported option and no other [EXEC-12]', () => {
  const named = new Set([...EXEC_HELP.matchAll(/--([a-z-]+)/g)].map((match) => match[1]));
  const supported = EXEC_OPTIONS.filter((spec) => !spec.unsupported).map((spec) => spec.name);
  expect([...named].sort()).toEqual([...supported].sort());
});
