import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isJsonObject, stringAt } from '@quire/protocol';
import { type RecordedRequest, respond, Simulator, text } from '@quire/simulator';
import { afterAll, describe, expect, test } from 'vitest';
import { CommandRun, type Ended, type RunOptions } from './support/command-run.ts';
import { installCommand } from './support/installed-command.ts';
import { hasProgram } from './support/programs.ts';
import { createWorkspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

const ARGUMENT = 'Argument.';
const INPUT = 'From stdin ✓.\n';
const BOTH = `${ARGUMENT}\n\n<stdin>\n${INPUT}</stdin>`;
const SILENT = 'quire: stdin was open but silent and is ignored; to read the prompt from it pass - as the prompt\n';
const HINT = 'Reading the prompt from stdin; end it with Ctrl-D\n';
const EMPTY = 'quire: the prompt is empty; pass it as an argument or on stdin\n';
/** Starting and answering take far less, on a busy machine too; the rule allows a silent pipe one second on top. */
const START_LIMIT_MS = 15_000;

/** How stdin is set up, and what is done with it once the process runs. */
interface Setup {
  readonly options: Partial<RunOptions>;
  readonly drive?: (run: CommandRun) => Promise<unknown>;
}

const through = (script: string): Partial<RunOptions> => ({
  wrapper: (line) => ['/bin/sh', '-c', script, 'sh', ...line],
});

const SETUPS = {
  'closed descriptor': { options: through('exec "$@" <&-') },
  '/dev/null': { options: { stdin: 'ignore' } },
  'regular file': { options: through('exec "$@" < ../input.txt') },
  'empty file': { options: through(': > ../empty; exec "$@" < ../empty') },
  'pipe, open and silent': { options: { stdin: 'pipe' } },
  'pipe, closed at once': { options: { stdin: 'pipe' }, drive: async (run) => run.child.stdin?.end() },
  'pipe with text': { options: { stdin: 'pipe' }, drive: async (run) => run.child.stdin?.end(INPUT) },
  'pipe of a slow writer': {
    options: { stdin: 'pipe' },
    drive: async (run) => {
      // Each pause is a part of what a slow writer is; together they are longer than the wait for a silent one.
      const bytes = Buffer.from(INPUT);
      for (const byte of bytes.subarray(0, -1)) {
        run.child.stdin?.write(Buffer.of(byte));
        await setTimeout(90);
      }
      run.child.stdin?.end(bytes.subarray(-1));
    },
  },
} satisfies Readonly<Record<string, Setup>>;

type SetupName = keyof typeof SETUPS;

interface Expected {
  /** What the model gets; absent: nothing is sent. */
  readonly prompt?: string;
  /** Lines on stderr of a `--json` run. */
  readonly stderr?: string;
}

const WITH_ARGUMENT: Readonly<Record<SetupName, Expected>> = {
  'closed descriptor': { prompt: ARGUMENT },
  '/dev/null': { prompt: ARGUMENT },
  'regular file': { prompt: BOTH },
  'empty file': { prompt: ARGUMENT },
  'pipe, open and silent': { prompt: ARGUMENT, stderr: SILENT },
  'pipe, closed at once': { prompt: ARGUMENT },
  'pipe with text': { prompt: BOTH },
  'pipe of a slow writer': { prompt: BOTH },
};

const WITHOUT_ARGUMENT: Readonly<Record<Exclude<SetupName, 'pipe, open and silent'>, Expected>> = {
  'closed descriptor': { stderr: EMPTY },
  '/dev/null': { stderr: EMPTY },
  'regular file': { prompt: INPUT },
  'empty file': { stderr: EMPTY },
  'pipe, closed at once': { stderr: EMPTY },
  'pipe with text': { prompt: INPUT },
  'pipe of a slow writer': { prompt: INPUT },
};

describe.concurrent('stdin', () => {
  const cases = [
    ...entriesOf(WITH_ARGUMENT).map(([name, expected]) => ({ name, argv: [ARGUMENT], expected })),
    ...entriesOf(WITHOUT_ARGUMENT).map(([name, expected]) => ({ name, argv: [], expected })),
    ...entriesOf(WITHOUT_ARGUMENT).map(([name, expected]) => ({ name, argv: ['-'], expected })),
  ];

  test.each(cases)(
    '$name with $argv follows the documented rule [FAULT-50, FAULT-51]',
    async ({ name, argv, expected }) => {
      const { ended, requests } = await runWith(SETUPS[name], argv);
      expect(requests.map(promptOf)).toEqual(expected.prompt === undefined ? [] : [expected.prompt]);
      expect([ended.code, ended.stderr]).toEqual([expected.prompt === undefined ? 1 : 0, expected.stderr ?? '']);
      expect(ended.tookMs).toBeLessThan(START_LIMIT_MS);
    },
  );

  test.each([[[]], [['-']]])(
    'a pipe that stays open without a prompt (%s) is waited for, until a signal [FAULT-52]',
    async (argv) => {
      const setup: Setup = {
        options: { stdin: 'pipe' },
        drive: async (run) => {
          await run.saw(HINT);
          run.child.kill('SIGINT');
        },
      };
      const { ended, requests } = await runWith(setup, argv);
      expect([ended.code, ended.stdout, ended.stderr, requests]).toEqual([130, '', HINT, []]);
    },
  );

  test('a pipe that stays open without a prompt is waited for, until the deadline [FAULT-52]', async () => {
    const { ended } = await runWith(SETUPS['pipe, open and silent'], ['--deadline', '5']);
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    expect(ended.stderr).toBe(`${HINT}quire: stopped: the deadline of 5 s has passed\n`);
  });
});

describe.skipIf(!(await hasProgram('script')))('a terminal', () => {
  const onTerminal: Partial<RunOptions> = {
    stdin: 'pipe',
    environment: { TERM: 'dumb' },
    wrapper: (line) => ['script', '--quiet', '--return', '--command', line.map(quote).join(' '), '/dev/null'],
  };

  test('is not read beside a prompt argument [FAULT-53]', async () => {
    const { ended, requests } = await runWith({ options: onTerminal }, [ARGUMENT]);
    expect([ended.code, requests.map(promptOf)]).toEqual([0, [ARGUMENT]]);
  });

  test.each([[[]], [['-']]])('is read to Ctrl-D without one (%s) [FAULT-53]', async (argv) => {
    const setup: Setup = {
      options: onTerminal,
      drive: async (run) => {
        await run.saw(HINT.trimEnd());
        run.child.stdin?.write('Typed.\n\u0004');
      },
    };
    const { ended, requests } = await runWith(setup, argv);
    expect([ended.code, requests.map(promptOf)]).toEqual([0, ['Typed.\n']]);
  });

  test('ends a run with Ctrl-C [FAULT-53]', async () => {
    const setup: Setup = {
      options: onTerminal,
      drive: async (run) => {
        await run.saw(HINT.trimEnd());
        run.child.stdin?.write('\u0003');
      },
    };
    const { ended, requests } = await runWith(setup, []);
    expect([ended.code, requests]).toEqual([130, []]);
  });
});

async function runWith(
  setup: Setup,
  argv: readonly string[],
): Promise<{ readonly ended: Ended; readonly requests: readonly RecordedRequest[] }> {
  await using simulator = await Simulator.start({ rules: { kind: 'rehearsal', answer: () => respond(text('Yes.')) } });
  await using workspace = await createWorkspace();
  await writeFile(join(workspace.root, 'input.txt'), INPUT);
  await using run = new CommandRun({
    command,
    workspace,
    url: simulator.url,
    ...setup.options,
    argv: ['--skip-git-repo-check', '--json', ...argv],
  });
  const driven = setup.drive?.(run);
  const ended = await run.ended;
  await driven;
  return { ended, requests: simulator.requests };
}

/** Text of the last user message of a request. */
function promptOf(request: RecordedRequest): string | undefined {
  const content = request.input.findLast((item) => item['role'] === 'user')?.['content'];
  const part: unknown = Array.isArray(content) ? content[0] : undefined;
  return isJsonObject(part) ? stringAt(part, 'text') : undefined;
}

function entriesOf<Name extends string>(table: Readonly<Record<Name, Expected>>): readonly [Name, Expected][] {
  return Object.entries(table) as [Name, Expected][];
}

function quote(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}
