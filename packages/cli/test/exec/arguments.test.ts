import type { ResumeTarget, ReviewTarget } from '@quire/agent';
import { describe, expect, test } from 'vitest';
import { type ExecArguments, parseExecArguments, type ThreadChoice } from '../../src/exec/arguments.ts';
import { EXEC_HELP, REVIEW_HELP } from '../../src/exec/help.ts';
import { EXEC_OPTIONS } from '../../src/exec/options.ts';

const DEFAULTS: ExecArguments = {
  thread: { kind: 'new' },
  submission: { kind: 'prompt', text: undefined },
  configOverrides: [],
  profile: undefined,
  features: {},
  oss: false,
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
const prompt = (text: string): Partial<ExecArguments> => ({ submission: { kind: 'prompt', text } });
const resume = (target: ResumeTarget): Partial<ExecArguments> => ({ thread: { kind: 'resume', target } });
const fork = (target: ResumeTarget, beforeUserMessage?: number): { readonly thread: ThreadChoice } => ({
  thread: { kind: 'fork', target, beforeUserMessage },
});
const review = (target: ReviewTarget | 'stdin'): Partial<ExecArguments> => ({ submission: { kind: 'review', target } });
const NEWEST: ResumeTarget = { kind: 'last', anyDirectory: false };
const NOTHING: Partial<ExecArguments> = { submission: { kind: 'none' } };
const WITH_FLAG: Partial<ExecArguments> = {
  sandboxMode: 'workspace-write',
  warnings: ['--full-auto is deprecated; use -s workspace-write'],
};

describe('accepted [EXEC-10]', () => {
  const rows: readonly (readonly [string, readonly string[], Partial<ExecArguments>])[] = [
    ['nothing', [], {}],
    ['a prompt', ['hi'], { ...prompt('hi') }],
    ['a dash', ['-'], {}],
    ['a prompt after --', ['--', '--json'], { ...prompt('--json') }],
    ['the name of a sub-command after --', ['--', 'resume'], { ...prompt('resume') }],
    ['options around the prompt', ['--json', 'hi', '-m', 'a'], { ...prompt('hi'), json: true, model: 'a' }],
    ['the alias of --json', ['--experimental-json'], { json: true }],
    ['--name=value', ['--model=a=b'], { model: 'a=b' }],
    ['-nVALUE', ['-ma'], { model: 'a' }],
    ['-n=VALUE', ['-m=a'], { model: 'a' }],
    ['a value that is a dash', ['-o', '-'], { lastMessagePath: '-' }],
    ['repeated options', ['-c', 'a=1', '--config=b=2', '-cc=3'], { configOverrides: ['a=1', 'b=2', 'c=3'] }],
    ['image lists', ['-i', 'a,b', '--image', 'c', 'hi'], { images: ['a', 'b', 'c'], ...prompt('hi') }],
    [
      'directories',
      ['-C', '/x', '--add-dir', '/y', '--add-dir', '/z'],
      { workingDirectory: '/x', additionalDirectories: ['/y', '/z'] },
    ],
    ['full access', ['--dangerously-bypass-approvals-and-sandbox'], { sandboxMode: 'danger-full-access' }],
    ['its short name', ['--yolo'], { sandboxMode: 'danger-full-access' }],
    ['--full-auto', ['--full-auto'], WITH_FLAG],
    ['a profile [EXEC-80]', ['-p', 'work', 'hi'], { profile: 'work', ...prompt('hi') }],
    [
      'features; off wins [EXEC-80]',
      ['--disable', 'a', '--enable', 'a', '--enable=b', 'resume', ID],
      { features: { a: false, b: true }, ...resume({ kind: 'id', id: ID }) },
    ],
    ['a local server [EXEC-81]', ['--oss'], { oss: true }],
    ['a named local server [EXEC-81]', ['--oss', '--local-provider', 'lmstudio'], { oss: 'lmstudio' }],
    ['a deadline', ['--deadline', '1.5'], { deadlineSeconds: 1.5 }],
    [
      'flags',
      ['--skip-git-repo-check', '--ephemeral', '--ignore-user-config', '--color', 'never', '--thread-source', 's'],
      { skipGitRepoCheck: true, ephemeral: true, ignoreUserConfig: true, color: 'never', threadSource: 's' },
    ],
    ['resume', ['resume', ID], { ...resume({ kind: 'id', id: ID }) }],
    ['resume with a prompt', ['resume', ID, 'more'], { ...resume({ kind: 'id', id: ID }), ...prompt('more') }],
    [
      'resume --last',
      ['resume', '--last', 'more'],
      { ...resume({ kind: 'last', anyDirectory: false }), ...prompt('more') },
    ],
    ['resume --last --all', ['--all', 'resume', '--last'], { ...resume({ kind: 'last', anyDirectory: true }) }],
    ['fork [EXEC-70]', ['fork', ID, 'more'], { ...fork({ kind: 'id', id: ID }), ...prompt('more') }],
    ['fork with the prompt on stdin [EXEC-70]', ['fork', ID, '-'], fork({ kind: 'id', id: ID })],
    ['fork without a prompt [EXEC-72]', ['fork', ID], { ...fork({ kind: 'id', id: ID }), ...NOTHING }],
    ['fork --last [EXEC-70]', ['fork', '--last', 'more'], { ...fork(NEWEST), ...prompt('more') }],
    [
      'fork --before [EXEC-71]',
      ['fork', '--before', '0', ID, 'x'],
      { ...fork({ kind: 'id', id: ID }, /* beforeUserMessage */ 0), ...prompt('x') },
    ],
    ['review --uncommitted [EXEC-74]', ['review', '--uncommitted'], review({ kind: 'uncommitted' })],
    ['review --base [EXEC-74]', ['--base', 'main', 'review'], review({ kind: 'base', branch: 'main' })],
    ['review --commit [EXEC-74]', ['review', '--commit', 'abc'], review({ kind: 'commit', sha: 'abc' })],
    [
      'review --commit --title [EXEC-74]',
      ['review', '--commit', 'abc', '--title', 't'],
      review({ kind: 'commit', sha: 'abc', title: 't' }),
    ],
    ['review with words [EXEC-74]', ['review', 'the parser'], review({ kind: 'custom', instructions: 'the parser' })],
    ['review with words on stdin [EXEC-74]', ['review', '-'], review('stdin')],
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
        ...resume({ kind: 'id', id: ID }),
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
    [['--last', 'hi'], '--last goes with the sub-commands resume and fork'],
    [['resume', '--before', '1', ID], '--before goes with the sub-command fork'],
    [['--uncommitted'], '--uncommitted goes with the sub-command review'],
    [['--title', 't', 'fork', ID], '--title goes with the sub-command review'],
    [['fork'], 'fork needs a thread id, or --last'],
    [['fork', '--before', '-1', ID], '--before needs a value'],
    [['fork', '--before=-1', ID], '--before needs the number of a user message, 0 for the first, not "-1"'],
    [['fork', '--before', 'x', ID], '--before needs the number of a user message, 0 for the first, not "x"'],
    [['fork', '-o', 'x', ID], '--output-last-message goes with a prompt; give one, or - for stdin'],
    [['frok', ID, 'more'], `unexpected argument "${ID}"; did you mean quire exec fork?`],
    [['review'], 'review needs --uncommitted, --base BRANCH, --commit SHA, or a prompt that says what to review'],
    [['review', '--uncommitted', '--base', 'b'], '--uncommitted can not be combined with --base'],
    [['review', '--commit', 'a', '--base', 'b'], '--base can not be combined with --commit'],
    [['review', '--uncommitted', 'hi'], '--uncommitted can not be combined with a prompt'],
    [['review', '--title', 't', '--base', 'b'], '--title goes with --commit'],
    [['review', '--base='], '--base needs a value that is not empty'],
    [['review', '-i', 'a', '--uncommitted'], '--image does not go with review'],
    [['review', '--output-schema', 'a', '--uncommitted'], '--output-schema does not go with review'],
    [['review', 'a', 'b'], 'unexpected argument "b"; put the prompt in quotes'],
    [['--search'], '--search is not supported yet by quire exec'],
    [['--local-provider', 'ollama'], '--local-provider goes with --oss'],
    [['--oss', '--local-provider', 'x'], '--local-provider must be one of ollama, lmstudio, not "x"'],
    [['-p', ''], '--profile needs a value that is not empty'],
    [['-p', 'a', '-p', 'b'], '-p was given twice'],
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

test('the help of a review names options of exec only [EXEC-12]', () => {
  const known = new Set(EXEC_OPTIONS.filter((spec) => !spec.unsupported).map((spec) => spec.name));
  const named = [...REVIEW_HELP.matchAll(/--([a-z-]+)/g)].map((match) => match[1] ?? '');
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
