import { randomUUID } from 'node:crypto';
import { appendFile, chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { respond, Simulator, type Step, status, text } from '@quire/simulator';
import { afterAll, describe, expect, test } from 'vitest';
import { type Ended, parseEvents, type RunOptions, runCommand } from './support/command-run.ts';
import { historyDigest } from './support/history-digest.ts';
import { inParallel } from './support/in-parallel.ts';
import { installCommand } from './support/installed-command.ts';
import { createWorkspace, onlyRollout, readRolloutLines, rolloutPaths, type Workspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

const AT_ONCE = 4;
const SKIP = '--skip-git-repo-check';
const USAGE = 'Usage: quire exec \\[OPTIONS\\] \\[PROMPT\\]; see quire exec --help';
/** Nothing answers there; a run that gets that far fails. */
const NOWHERE = 'http://127.0.0.1:9/v1';
const UNKNOWN_ID = '019a0000-0000-7000-8000-00000000dead';

interface Case {
  readonly name: string;
  readonly argv: readonly string[];
  /** What stderr must be, whole; `<PROJECT>` and `<HOME>` stand for the folders. */
  readonly stderr: string;
  readonly code?: number;
  readonly prepare?: (workspace: Workspace) => Promise<unknown>;
  readonly run?: Partial<RunOptions>;
  /** Bytes on stdin, from a file. */
  readonly stdin?: Uint8Array;
}

const PROJECT_FILE = (name: string, content: string | Uint8Array) => (workspace: Workspace) =>
  writeFile(join(workspace.project, name), content);
const HOME_FILE = (name: string, content: string | Uint8Array) => (workspace: Workspace) =>
  writeFile(join(workspace.home, name), content);
const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Everything that keeps a run from starting. */
const CASES: readonly Case[] = [
  {
    name: 'no credentials',
    argv: [SKIP, '-c', `openai_base_url=${NOWHERE}`, 'Hi.'],
    run: { url: undefined },
    stderr:
      'no credentials for the model provider "openai": log in with `quire login` or set CODEX_API_KEY; to try without a key: \\S.*',
  },
  {
    name: 'a key variable that is not set',
    argv: [SKIP, 'Hi.'],
    run: { provider: ['env_key=ABSENT_KEY'] },
    stderr: 'the model provider "mock" takes its key from the environment variable ABSENT_KEY, which is not set.*',
  },
  {
    name: 'an unknown model provider',
    argv: [SKIP, '-c', 'model_provider=nope', 'Hi.'],
    stderr: '-c: model_provider "nope" is not known; known are \\S.*; define others as \\[model_providers.<id>\\]',
  },
  {
    name: 'a credentials file that is not JSON',
    argv: [SKIP, 'Hi.'],
    prepare: HOME_FILE('auth.json', '{"OPENAI_API_KEY": "sk-half'),
    run: { url: undefined },
    stderr:
      '<HOME>/auth.json is not valid JSON; fix it, move it away or run quire logout and log in again, or set CODEX_API_KEY',
  },
  {
    name: 'a -c without =',
    argv: [SKIP, '-c', 'model', 'Hi.'],
    code: 2,
    stderr: `-c needs key=value, not "model"\\n${USAGE}`,
  },
  {
    name: 'a -c without a key',
    argv: [SKIP, '-c', '=x', 'Hi.'],
    code: 2,
    stderr: `-c needs key=value, not "=x"\\n${USAGE}`,
  },
  {
    name: 'a -c with blanks for a key',
    argv: [SKIP, '-c', '  =x', 'Hi.'],
    code: 1,
    stderr: '-c has no key before "="; write -c key=value, for example -c model=gpt-5',
  },
  {
    name: 'a -c of a wrong type',
    argv: [SKIP, '-c', 'model=3', 'Hi.'],
    stderr: '-c: model must be a string, found an integer',
  },
  {
    name: 'a -c with a choice that does not exist',
    argv: [SKIP, '-c', 'sandbox_mode=everything', 'Hi.'],
    stderr: '-c: sandbox_mode must be one of read-only, workspace-write, danger-full-access, found "everything"',
  },
  {
    name: 'a base URL that is none',
    argv: [SKIP, 'Hi.'],
    run: { url: 'not-a-url' },
    stderr: '-c: model_providers.mock.base_url .*',
  },
  {
    name: 'a configuration file that is not TOML',
    argv: [SKIP, 'Hi.'],
    prepare: HOME_FILE('config.toml', 'model = "x"\nfoo = = 3\n'),
    stderr: '<HOME>/config.toml:2:7: not valid TOML: \\S.*',
  },
  {
    name: 'a configuration file that is not text',
    argv: [SKIP, 'Hi.'],
    prepare: HOME_FILE('config.toml', Buffer.from([0x61, 0x3d, 0xff, 0xfe, 0x0a])),
    stderr: '<HOME>/config.toml.* UTF-8.*',
  },
  {
    name: 'a configuration file that is a folder',
    argv: [SKIP, 'Hi.'],
    prepare: (workspace) => mkdir(join(workspace.home, 'config.toml')),
    stderr: '<HOME>/config.toml can not be read: \\S.*',
  },
  {
    name: 'an image that does not exist',
    argv: [SKIP, '-i', 'none.png', 'Hi.'],
    stderr: 'there is no image <PROJECT>/none.png; check the path',
  },
  {
    name: 'an image that is a folder',
    argv: [SKIP, '-i', '.', 'Hi.'],
    stderr: '<PROJECT> is not a file; give the path of an image file',
  },
  {
    name: 'an image that is text',
    argv: [SKIP, '-i', 'text.png', 'Hi.'],
    prepare: PROJECT_FILE('text.png', 'hello'),
    stderr: '<PROJECT>/text.png is not a PNG, JPEG, WebP or GIF image; convert it to one of these',
  },
  {
    name: 'an image that is empty',
    argv: [SKIP, '-i', 'empty.png', 'Hi.'],
    prepare: PROJECT_FILE('empty.png', ''),
    stderr: '.*<PROJECT>/empty.png .*',
  },
  {
    name: 'an image that ends too early',
    argv: [SKIP, '-i', 'half.png', 'Hi.'],
    prepare: PROJECT_FILE('half.png', PNG_SIGNATURE),
    stderr: 'the PNG image <PROJECT>/half.png is damaged \\(it ends too early\\); save it again',
  },
  {
    name: 'a schema that is not JSON',
    argv: [SKIP, '--output-schema', 'schema.json', 'Hi.'],
    prepare: PROJECT_FILE('schema.json', '{bad'),
    stderr: 'the output schema schema.json is not valid JSON',
  },
  {
    name: 'a schema that is not an object',
    argv: [SKIP, '--output-schema', 'schema.json', 'Hi.'],
    prepare: PROJECT_FILE('schema.json', '[1]'),
    stderr: 'the output schema schema.json must be a JSON object that holds a JSON Schema',
  },
  {
    name: 'a schema that does not exist',
    argv: [SKIP, '--output-schema', 'none.json', 'Hi.'],
    stderr: 'the output schema none.json can not be read: no such file or folder',
  },
  {
    name: 'a thread that does not exist',
    argv: [SKIP, 'resume', UNKNOWN_ID, 'Hi.'],
    stderr: `no thread ${UNKNOWN_ID} is recorded in <HOME>/sessions; list the recorded ones with: \\S.*`,
  },
  {
    name: 'a thread id that is none',
    argv: [SKIP, 'resume', 'yesterday', 'Hi.'],
    stderr: '"yesterday" is neither a thread id nor a rollout file.*',
  },
  {
    name: 'a last thread where there is none',
    argv: [SKIP, 'resume', '--last', 'Hi.'],
    stderr: 'no thread to resume was found for <PROJECT>; start one, or name an id',
  },
  {
    name: 'a working directory that does not exist',
    argv: [SKIP, '-C', 'none', 'Hi.'],
    stderr: 'the working directory none does not exist; give an existing one with -C',
  },
  {
    name: 'a working directory that is a file',
    argv: [SKIP, '-C', 'file', 'Hi.'],
    prepare: PROJECT_FILE('file', ''),
    stderr: 'file is a file, not a directory; give a directory with -C',
  },
  {
    name: 'a working directory outside a repository',
    argv: ['Hi.'],
    stderr:
      '<PROJECT> is not inside a git repository; run `git init`, choose another with -C, or pass --skip-git-repo-check',
  },
  {
    name: 'a last-message file in a folder that does not exist',
    argv: [SKIP, '-o', 'none/out.txt', 'Hi.'],
    stderr: 'the last message can not be written to none/out.txt: no such file or folder',
  },
  {
    name: 'a last-message file that is a folder',
    argv: [SKIP, '-o', '.', 'Hi.'],
    stderr: 'the last message can not be written to .: it is a folder',
  },
  {
    name: 'a home folder that does not exist',
    argv: [SKIP, 'Hi.'],
    run: { environment: { QUIRE_HOME: '/nonexistent/home' } },
    stderr: 'QUIRE_HOME is "/nonexistent/home": it does not exist; create that folder or unset QUIRE_HOME',
  },
  {
    name: 'a home folder in which no thread can be recorded',
    argv: [SKIP, 'Hi.'],
    prepare: HOME_FILE('sessions', 'a file in the way'),
    stderr: '<HOME>/sessions/\\S+.jsonl can not be written: \\S.*',
  },
  {
    name: 'an empty prompt',
    argv: [SKIP, ''],
    stderr: 'the prompt is empty; pass it as an argument or on stdin',
  },
  {
    name: 'a blank prompt',
    argv: [SKIP, ' \n\t'],
    stderr: 'the prompt is empty; pass it as an argument or on stdin',
  },
  {
    name: 'no prompt at all',
    argv: [SKIP],
    stderr: 'the prompt is empty; pass it as an argument or on stdin',
  },
  {
    name: 'a prompt on stdin that is not UTF-8',
    argv: [SKIP, '-'],
    stdin: Buffer.from([0x48, 0x69, 0xff, 0x21]),
    stderr: 'stdin is not valid UTF-8 \\(byte 2\\); convert it first, for example with iconv',
  },
  {
    name: 'text beside a prompt that is not UTF-8',
    argv: [SKIP, 'Hi.'],
    stdin: Buffer.from([0xc3]),
    stderr: 'stdin is not valid UTF-8 \\(byte 0\\); convert it first, for example with iconv',
  },
  {
    name: 'an unknown option',
    argv: [SKIP, '--jsn', 'Hi.'],
    code: 2,
    stderr: `unknown option --jsn; did you mean --json\\?\\n${USAGE}`,
  },
  {
    name: 'a surplus argument',
    argv: [SKIP, 'one', 'two'],
    code: 2,
    stderr: `unexpected argument "two"; put the prompt in quotes\\n${USAGE}`,
  },
  {
    name: 'a sandbox mode that does not exist',
    argv: [SKIP, '-s', 'open', 'Hi.'],
    code: 2,
    stderr: `--sandbox must be one of read-only, workspace-write, danger-full-access, not "open"\\n${USAGE}`,
  },
];

describe('a run that can not start says why in one line, prints no event and leaves no file', () => {
  test.each(CASES)('$name [FAULT-40, FAULT-41]', async (given) => {
    await inParallel([[], ['--json']], AT_ONCE, async (mode) => {
      await using workspace = await createWorkspace();
      await given.prepare?.(workspace);
      const before = await allFiles(workspace);
      const stdin =
        given.stdin === undefined
          ? undefined
          : ['sh', '-c', `printf '${octal(given.stdin)}' > ../in && exec "$@" < ../in`, 'sh'];
      const ended = await runCommand({
        command,
        workspace,
        url: NOWHERE,
        ...(stdin === undefined ? {} : { wrapper: (line) => ['/usr/bin/env', ...stdin, ...line] }),
        ...given.run,
        argv: [...mode, ...given.argv],
      } as RunOptions);
      const pattern = given.stderr.replaceAll('<PROJECT>', workspace.project).replaceAll('<HOME>', workspace.home);
      expect(ended.stderr).toMatch(new RegExp(`^quire: ${pattern}\\n$`));
      expect([ended.code, ended.signal, ended.stdout]).toEqual([given.code ?? 1, null, '']);
      expect((await allFiles(workspace)).filter((name) => name !== 'in')).toEqual(before);
    });
  });
});

const isRoot = process.getuid?.() === 0;

test.skipIf(isRoot)('a home folder that may not be written is named in one line [FAULT-40]', async () => {
  await using workspace = await createWorkspace();
  await chmod(workspace.home, 0o500);
  const ended = await runCommand({ command, workspace, url: NOWHERE, argv: [SKIP, 'Hi.'] });
  await chmod(workspace.home, 0o700);
  expect(ended.stderr).toMatch(/^quire: \S+\.jsonl can not be written: permission denied.*\n$/);
  expect([ended.code, ended.stdout]).toEqual([1, '']);
});

interface RefusedCase {
  readonly name: string;
  readonly url?: string;
  readonly step?: Step;
  readonly message: RegExp;
}

const REFUSED: readonly RefusedCase[] = [
  {
    name: 'a port on which nothing listens',
    url: NOWHERE,
    message: /^nothing accepts connections at 127\.0\.0\.1:9 \(ECONNREFUSED\); check base_url$/,
  },
  {
    name: 'a host that does not exist',
    url: 'http://nonexistent.invalid/v1',
    message:
      /^cannot resolve the host name of nonexistent\.invalid:80 \((ENOTFOUND|EAI_AGAIN)\); check base_url and the network$/,
  },
  {
    name: 'a wrong key',
    step: status(/* code */ 401, {
      body: {
        error: { type: 'invalid_request_error', code: 'invalid_api_key', message: 'Incorrect API key: sk-wrong' },
      },
    }),
    message: /^(?=.*401)(?=.*API key)(?!.*sk-wrong).*$/,
  },
  {
    name: 'a path that is not there',
    step: status(/* code */ 404, { body: '<html>not here</html>' }),
    message: /^(?=.*404).*$/,
  },
  {
    name: 'a server that is broken',
    step: status(/* code */ 500, { body: { error: { message: 'the database is down' } } }),
    message: /^(?=.*500).*$/,
  },
];

describe('a provider that refuses is told in one line, and the turn is recorded to its end', () => {
  test.each(REFUSED)('$name [FAULT-42]', { timeout: 60_000 }, async ({ url, step, message }) => {
    await inParallel(['json', 'human'], AT_ONCE, async (mode) => {
      await using simulator = await Simulator.start({ steps: step === undefined ? [] : [step] });
      await using workspace = await createWorkspace();
      const ended = await runCommand({
        command,
        workspace,
        url: url ?? simulator.url,
        provider: ['request_max_retries=0', 'stream_max_retries=0', 'experimental_bearer_token=sk-wrong'],
        argv: [SKIP, ...(mode === 'json' ? ['--json'] : []), 'Hi.'],
      });
      expect([ended.code, ended.signal]).toEqual([1, null]);
      expect(failureOf(ended, mode)).toMatch(message);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
      expect((await readRolloutLines(await onlyRollout(workspace.home))).at(-1)?.['payload']).toMatchObject({
        type: 'task_complete',
      });
    });
  });
});

/** The one message by which a failed run tells why. */
function failureOf(ended: Ended, mode: string): string {
  if (mode === 'human') {
    expect(ended.stdout).toBe('');
    const errors = ended.stderr.match(/(?<=^ERROR: ).*$/gm) ?? [];
    expect(errors).toHaveLength(1);
    return errors[0] ?? '';
  }
  const events = parseEvents(ended.stdout);
  const message = /^quire: (.*)\n$/.exec(ended.stderr)?.[1] ?? '';
  expect(events.slice(1)).toEqual([
    { type: 'turn.started' },
    { type: 'error', message },
    { type: 'turn.failed', error: { message } },
  ]);
  return message;
}

describe('a damaged rollout', () => {
  const RECORDED = ['message First.'];
  const HALF_LINE = '{"timestamp":"2026-01-01T00:00:00.000Z","type":"response_item","payload":{"type":"mess';

  const DAMAGES = [
    {
      name: 'whose last line is torn',
      damage: (path: string) => appendFile(path, HALF_LINE),
      notice: /The last line of \S+\.jsonl was half-written; its 8\d bytes were cut off, all before them is there\./,
    },
    {
      name: 'with garbage in the middle',
      damage: async (path: string) => {
        const lines = (await readFile(path, 'utf8')).split('\n');
        lines.splice(3, 0, 'garbage', '{"type":"unheard_of","payload":{}}', '\u0000\u0000', '[]');
        await writeFile(path, lines.join('\n'));
      },
      notice: /3 lines of \S+\.jsonl could not be understood and were passed over\./,
    },
    {
      name: 'with one line of garbage',
      damage: async (path: string) => {
        const lines = (await readFile(path, 'utf8')).split('\n');
        await writeFile(path, lines.toSpliced(3, 0, 'garbage').join('\n'));
      },
      notice: /1 line of \S+\.jsonl could not be understood and was passed over\./,
    },
    {
      name: 'that lacks only its last line end',
      damage: async (path: string) => writeFile(path, (await readFile(path, 'utf8')).trimEnd()),
      notice: undefined,
    },
  ];

  test.each(DAMAGES)('$name is resumed, with a notice of what is lost [FAULT-43]', async ({ damage, notice }) => {
    await inParallel(['json', 'human'], AT_ONCE, async (mode) => {
      await using simulator = await Simulator.start({ steps: [respond(text('First.')), respond(text('Second.'))] });
      await using workspace = await createWorkspace();
      const modeOption = mode === 'json' ? ['--json'] : [];
      const shared = { command, workspace, url: simulator.url };
      await runCommand({ ...shared, argv: [SKIP, 'One.'] });
      const path = await onlyRollout(workspace.home);
      await damage(path);
      const ended = await runCommand({ ...shared, argv: [SKIP, ...modeOption, 'resume', '--last', 'Two.'] });
      expect(ended.code).toBe(0);
      expect(historyDigest(simulator.requests[1]?.input ?? [])).toEqual(RECORDED);
      expect(noticesOf(ended, mode)).toEqual(notice === undefined ? [] : [expect.stringMatching(notice)]);
      expect(await rolloutPaths(workspace.home)).toEqual([path]);
      expect(await readFile(path, 'utf8')).not.toContain(HALF_LINE);
    });
  });

  const BROKEN = [
    ['that is empty', '', 'has no complete line: no thread was recorded in it'],
    ['that holds only half a header', '{"timestamp":"2026', 'has no complete line: no thread was recorded in it'],
    ['that is no rollout at all', 'hello\nworld\n', 'holds no session_meta line: no thread was recorded in it'],
  ] as const;

  test.each(BROKEN)('%s is refused in one line and stays as it is [FAULT-44]', async (_, content, reason) => {
    await using workspace = await createWorkspace();
    const id = randomUUID();
    const folder = join(workspace.home, 'sessions/2026/01/01');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `rollout-2026-01-01T00-00-00-${id}.jsonl`);
    await writeFile(path, content);
    const ended = await runCommand({ command, workspace, url: NOWHERE, argv: [SKIP, '--json', 'resume', id, 'Hi.'] });
    expect(ended.stderr).toBe(`quire: ${path} ${reason}\n`);
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    expect(await readFile(path, 'utf8')).toBe(content);
  });
});

function noticesOf(ended: Ended, mode: string): readonly string[] {
  if (mode === 'human') return ended.stderr.match(/(?<=^! ).*$/gm) ?? [];
  return parseEvents(ended.stdout).flatMap(({ item }) => {
    const { type, message } = (item ?? {}) as { readonly type?: string; readonly message?: string };
    return type === 'error' ? [String(message)] : [];
  });
}

async function allFiles(workspace: Workspace): Promise<readonly string[]> {
  return (await readdir(workspace.root, { recursive: true })).sort();
}

function octal(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
