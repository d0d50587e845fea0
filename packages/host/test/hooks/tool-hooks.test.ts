import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { HookDefinition, HookedCall } from '@quire/core';
import type { TurnId } from '@quire/protocol';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClosableToolHooks, createToolHooks, type HookSession } from '../../src/index.ts';

const TURN = 'turn-1' as TurnId;

let place: string;
let notices: string[];
const open: ClosableToolHooks[] = [];

beforeEach(() => {
  place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'quire-hooks-')));
  notices = [];
});
afterEach(async () => {
  for (const hooks of open.splice(0)) await hooks.close();
  fs.rmSync(place, { recursive: true, force: true });
});

function hook(command: HookDefinition['command'], more: Partial<HookDefinition> = {}): HookDefinition {
  return { event: 'PreToolUse', name: 'H', matcher: '', command, timeoutMs: 20_000, fail: 'closed', ...more };
}

function hooksOf(definitions: readonly HookDefinition[], session?: () => HookSession): ClosableToolHooks {
  const environment = { PATH: process.env['PATH'], PLACE: place };
  const onNotice = (text: string): void => void notices.push(text);
  const options = { hooks: definitions, threadId: 'thread-1', environment, onNotice };
  const hooks = createToolHooks(session === undefined ? options : { ...options, session });
  if (hooks === undefined) throw new Error('no hooks');
  open.push(hooks);
  return hooks;
}

function call(more: Partial<HookedCall> = {}): HookedCall {
  const input = { cmd: 'ls -l' };
  return { turnId: TURN, callId: 'call-1', tool: 'exec_command', kind: 'command', input, cwd: place, ...more };
}

const signal = (): AbortSignal => new AbortController().signal;

function askBefore(definition: HookDefinition, more: Partial<HookedCall> = {}) {
  return hooksOf([definition]).before(call(more), { signal: signal() });
}

function askAfter(definition: HookDefinition, output = 'out') {
  return hooksOf([definition]).after({ ...call(), output, succeeded: true }, { signal: signal() });
}

/** A line that prints `answer` as JSON. */
function say(answer: unknown): string {
  const file = path.join(place, 'answer.json');
  fs.writeFileSync(file, JSON.stringify(answer));
  return `cat ${file}`;
}

const GO_ON = { kind: 'go-on' };
const deny = (reason: string) => ({ kind: 'deny', reason });
const PRE = { hookEventName: 'PreToolUse' };
const POST = { hookEventName: 'PostToolUse' };

test('without hooks there is nothing to ask [HOOK-01]', () => {
  const options = { hooks: [], threadId: 't', environment: {}, onNotice: () => undefined };
  expect(createToolHooks(options)).toBeUndefined();
});

describe('what a hook is told', () => {
  test('is one line of JSON with the names of the peer and our own [HOOK-02] [HOOK-03]', async () => {
    const session = (): HookSession => ({ model: 'm', transcriptPath: '/r.jsonl', permissionMode: 'plan' });
    const save = (event: HookDefinition['event'], name: string) =>
      hook(`cat > ${name}; printf %s "$CODEX_THREAD_ID" > ${name}.thread`, { event });
    const hooks = hooksOf([save('PreToolUse', 'before'), save('PostToolUse', 'after')], session);
    await hooks.before(call(), { signal: signal() });
    await hooks.after({ ...call(), output: 'a\nb', succeeded: false }, { signal: signal() });
    const read = (name: string) => fs.readFileSync(path.join(place, name), 'utf8');
    const common = {
      session_id: 'thread-1',
      turn_id: TURN,
      transcript_path: '/r.jsonl',
      cwd: place,
      model: 'm',
      permission_mode: 'plan',
      tool_name: 'Bash',
      tool_input: { cmd: 'ls -l', command: 'ls -l' },
      tool_use_id: 'call-1',
      tool: 'exec_command',
      tool_kind: 'command',
    };
    expect(JSON.parse(read('before'))).toEqual({ ...common, hook_event_name: 'PreToolUse' });
    expect(JSON.parse(read('after'))).toEqual({
      ...common,
      hook_event_name: 'PostToolUse',
      tool_response: 'a\nb',
      tool_succeeded: false,
    });
    expect([read('before').indexOf('\n'), read('after.thread')]).toEqual([read('before').length - 1, 'thread-1']);
  });

  test.each<[string, Partial<HookedCall>, unknown]>([
    ['a list of words', { tool: 'shell', input: { command: ['a', "it's"] } }, ['Bash', `a 'it'"'"'s'`]],
    ['a command line', { tool: 'shell_command', input: { command: 'x y' } }, ['Bash', 'x y']],
    [
      'text for a running command',
      { tool: 'write_stdin', input: { session_id: 1, chars: 'q' } },
      ['write_stdin', undefined],
    ],
    ['a patch', { tool: 'apply_patch', kind: 'patch', input: '*** Begin' }, ['apply_patch', '*** Begin']],
    ['a patch as a function', { tool: 'apply_patch', kind: 'patch', input: { input: 'p' } }, ['apply_patch', 'p']],
    ['a plan', { tool: 'update_plan', kind: 'plan', input: { plan: [] } }, ['update_plan', undefined]],
    ['a server', { tool: 'mcp__s__t', kind: 'mcp', input: { command: ['no'] } }, ['mcp__s__t', ['no']]],
  ])('of %s is its name and its command [HOOK-03]', async (_title, given, told) => {
    await askBefore(hook('cat > told'), given);
    const { tool_name, tool_input } = JSON.parse(fs.readFileSync(path.join(place, 'told'), 'utf8'));
    expect([tool_name, tool_input.command]).toEqual(told);
  });

  test('is its environment and no more than commands get [HOOK-04]', async () => {
    process.env['QUIRE_TEST_SECRET'] = 's3cret';
    try {
      await askBefore(hook(['/usr/bin/env']));
      await askBefore(hook('env > told'));
    } finally {
      delete process.env['QUIRE_TEST_SECRET'];
    }
    const names = fs.readFileSync(path.join(place, 'told'), 'utf8').match(/^\w+(?==)/gm) ?? [];
    // The shell adds some of its own.
    expect(names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)).sort()).toEqual([
      'CODEX_THREAD_ID',
      'PATH',
      'PLACE',
      'QUIRE_OWNER',
    ]);
  });
});

describe('the answer before a call', () => {
  test.each<[string, string, unknown]>([
    ['nothing', 'exit 0', GO_ON],
    ['text', 'echo deny; echo deny >&2', GO_ON],
    ['exit code 2 with a reason', 'echo " not here " >&2; exit 2', deny('not here')],
    ['exit code 2 without a reason', 'exit 2', deny('the hook gave no reason')],
    ['exit code 2 and JSON, which does not count', `echo '{"decision":"approve"}'; echo no >&2; exit 2`, deny('no')],
  ])('%s [HOOK-05]', async (_title, command, verdict) => {
    expect(await askBefore(hook(command))).toEqual(verdict);
  });

  test.each<[string, unknown, unknown]>([
    ['an empty object', {}, GO_ON],
    ['approval', { decision: 'approve' }, GO_ON],
    ['a block', { decision: 'block', reason: 'r' }, deny('r')],
    [
      'a denial',
      { hookSpecificOutput: { ...PRE, permissionDecision: 'deny', permissionDecisionReason: 'p' } },
      deny('p'),
    ],
    ['permission', { hookSpecificOutput: { ...PRE, permissionDecision: 'allow' } }, GO_ON],
    ['a stop', { continue: false, stopReason: 's' }, deny('s')],
    [
      'a denial beside an approval',
      { decision: 'approve', hookSpecificOutput: { permissionDecision: 'deny' } },
      deny('the hook gave no reason'),
    ],
    ['nulls', { decision: null, reason: null, hookSpecificOutput: null, systemMessage: null }, GO_ON],
  ])('as JSON: %s [HOOK-06]', async (_title, answer, verdict) => {
    expect(await askBefore(hook(say(answer)))).toEqual(verdict);
  });

  test.each<[string, () => HookDefinition, string]>([
    ['ends in another way', () => hook('echo oops >&2; exit 1'), 'ended with exit code 1: oops'],
    ['is killed', () => hook('kill -9 $$'), 'was killed by SIGKILL'],
    ['is not there', () => hook(['/nonexistent/hook']), 'could not be started (there is no such program)'],
    ['prints half an object', () => hook(`echo '{"decision":'`), 'printed JSON that can not be understood'],
    ['prints a list', () => hook(`echo '[1]'`), 'printed JSON that can not be understood'],
    [
      'asks',
      () => hook(say({ hookSpecificOutput: { permissionDecision: 'ask' } })),
      'answered "ask", which is not supported',
    ],
    ['decides a number', () => hook(say({ decision: 4 })), 'answered "no word", which is not supported'],
    [
      'changes the input',
      () => hook(say({ hookSpecificOutput: { permissionDecision: 'allow', updatedInput: {} } })),
      'wants to change the call, which is not supported',
    ],
    ['answers another event', () => hook(say({ hookSpecificOutput: POST })), 'answered PostToolUse at PreToolUse'],
    ['takes too long', () => hook('sleep 100', { timeoutMs: 50 }), 'gave no answer in 0.05 s'],
    ['floods', () => hook('yes'), 'printed more than 1048576 bytes'],
    ['floods its complaints', () => hook('yes >&2'), 'printed more than 1048576 bytes'],
  ])(
    'is a fault when the hook %s: denied, or let pass with a notice [HOOK-07] [HOOK-08]',
    async (_title, make, problem) => {
      const definition = make();
      expect(await askBefore(definition)).toEqual(deny(`H ${problem}; repair it, or set its fail = "open"`));
      expect(notices).toEqual([]);
      expect(await askBefore({ ...definition, fail: 'open' })).toEqual(GO_ON);
      expect(notices).toEqual([`H ${problem}; the call went on without it, as its fail = "open" says`]);
    },
  );

  test('a directory that is gone is a fault as well [HOOK-07]', async () => {
    const gone = path.join(place, 'gone');
    const verdict = await askBefore(hook('exit 0'), { cwd: gone });
    const reason = `H could not be started (there is no directory ${gone}); repair it, or set its fail = "open"`;
    expect(verdict).toEqual(deny(reason));
  });

  test('a hook that does not read what it is told is no fault [HOOK-09]', async () => {
    const input = { cmd: 'x'.repeat(4_000_000) };
    expect(await askBefore(hook('exec 0<&-; exit 0'), { input })).toEqual(GO_ON);
    expect(await askBefore(hook('head -c 10 > told; exit 0'), { input })).toEqual(GO_ON);
    expect(await askBefore(hook('cat > told'), { input })).toEqual(GO_ON);
    expect(fs.statSync(path.join(place, 'told')).size).toBeGreaterThan(8_000_000);
  });

  test('of several is asked of all at once, and one denial is enough [HOOK-10]', async () => {
    // Each waits for the other.
    const meet = (own: string, other: string, end: string) =>
      hook(`touch ${own}; while [ ! -e ${other} ]; do sleep 0.01; done; ${end}`);
    const hooks = hooksOf([
      meet('a', 'b', 'echo first >&2; exit 2'),
      meet('b', 'a', 'exit 0'),
      hook('echo third >&2; exit 2'),
    ]);
    expect(await hooks.before(call(), { signal: signal() })).toEqual(deny('first\nthird'));
  });

  test('may be long, and is cut for the model [HOOK-11]', async () => {
    const verdict = await askBefore(hook('head -c 20000 /dev/zero | tr "\\0" x >&2; exit 2'));
    expect(verdict).toEqual(deny(`${'x'.repeat(16_384)}…[3616 characters left out]`));
  });

  test('may hold context, told behind the output of that call, and a notice [HOOK-12]', async () => {
    const hooks = hooksOf([
      hook(say({ systemMessage: 'look', hookSpecificOutput: { ...PRE, additionalContext: 'mind the gap' } })),
    ]);
    expect(await hooks.before(call(), { signal: signal() })).toEqual(GO_ON);
    const finish = (callId: string) =>
      hooks.after({ ...call({ callId }), output: '', succeeded: true }, { signal: signal() });
    expect([await finish('call-2'), await finish('call-1'), await finish('call-1'), notices]).toEqual([
      { feedback: undefined },
      { feedback: 'mind the gap' },
      { feedback: undefined },
      ['H: look'],
    ]);
  });
});

describe('the answer after a call', () => {
  const post = (command: HookDefinition['command'], more: Partial<HookDefinition> = {}) =>
    hook(command, { event: 'PostToolUse', fail: 'open', ...more });

  test.each<[string, () => HookDefinition, string | undefined]>([
    ['nothing', () => post('echo fine'), undefined],
    ['exit code 2', () => post('echo "lint: 3 errors" >&2; exit 2'), 'lint: 3 errors'],
    ['a block', () => post(say({ decision: 'block', reason: 'undo it' })), 'undo it'],
    ['context', () => post(say({ hookSpecificOutput: { ...POST, additionalContext: 'formatted' } })), 'formatted'],
    ['a stop', () => post(say({ continue: false, stopReason: 'enough' })), 'enough'],
    [
      'a fault of a closed one',
      () => post('exit 3', { fail: 'closed' }),
      'H ended with exit code 3, so what it checks counts as failed',
    ],
  ])('is feedback: %s [HOOK-13]', async (_title, make, feedback) => {
    expect(await askAfter(make())).toEqual({ feedback });
  });

  test('of a faulty open one is a notice only [HOOK-13]', async () => {
    expect([await askAfter(post('exit 3')), notices]).toEqual([
      { feedback: undefined },
      ['H ended with exit code 3; the call went on without it, as its fail = "open" says'],
    ]);
  });
});

describe('which hooks run', () => {
  const tools: readonly Partial<HookedCall>[] = [
    {},
    { tool: 'apply_patch', kind: 'patch' },
    { tool: 'mcp__git__log', kind: 'mcp' },
  ];
  test.each<[string, readonly boolean[]]>([
    ['', [true, true, true]],
    ['*', [true, true, true]],
    ['Bash', [true, false, false]],
    ['exec_command|mcp__git__log', [true, false, true]],
    ['Ba', [false, false, false]],
    ['Edit', [false, true, false]],
    ['Bash|Write', [true, true, false]],
    ['^mcp__.*', [false, false, true]],
    ['(?i)bash', [true, false, false]],
    ['.', [true, true, true]],
  ])('the matcher %j [HOOK-14]', async (matcher, meant) => {
    const hooks = hooksOf([hook('exit 2', { matcher })]);
    const verdicts = await Promise.all(tools.map((tool) => hooks.before(call(tool), { signal: signal() })));
    expect(verdicts.map(({ kind }) => kind === 'deny')).toEqual(meant);
  });
});

const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const pidIn = (name: string): number => Number(fs.readFileSync(path.join(place, name), 'utf8'));
const isWritten = (name: string) => (): boolean => fs.existsSync(path.join(place, name)) && pidIn(name) > 0;

describe.skipIf(process.platform !== 'linux')('no hook outlives its time', () => {
  const TREE = 'setsid sh -c "echo \\$\\$ > pid; exec sleep 1000" & while [ ! -s pid ]; do sleep 0.01; done;';

  test('a hook that takes too long is killed with all it started [HOOK-15]', async () => {
    await askBefore(hook(`${TREE} sleep 1000`, { timeoutMs: 3_000 }));
    expect(isAlive(pidIn('pid'))).toBe(false);
  });

  test('an abort kills it and is passed on [HOOK-16]', async () => {
    const abort = new AbortController();
    const asked = hooksOf([hook(`${TREE} sleep 1000`)]).before(call(), { signal: abort.signal });
    const rejected = expect(asked).rejects.toThrow('stop it');
    await waitFor(isWritten('pid'));
    abort.abort(new Error('stop it'));
    await rejected;
    expect(isAlive(pidIn('pid'))).toBe(false);
  });

  test('with a signal that fired already none is started [HOOK-16]', async () => {
    const asked = hooksOf([hook('touch started')]).before(call(), { signal: AbortSignal.abort(new Error('early')) });
    await expect(asked).rejects.toThrow('early');
    expect(fs.existsSync(path.join(place, 'started'))).toBe(false);
  });

  test('what an answered hook left in the background goes on until the hooks are closed [HOOK-17]', async () => {
    const hooks = hooksOf([hook(`${TREE} echo '{}'`)]);
    expect(await hooks.before(call(), { signal: signal() })).toEqual(GO_ON);
    expect(isAlive(pidIn('pid'))).toBe(true);
    await hooks.close();
    await waitFor(() => !isAlive(pidIn('pid')));
    expect(await hooks.before(call(), { signal: signal() })).toEqual(deny('the thread is over'));
    expect(await hooks.after({ ...call(), output: '', succeeded: true }, { signal: signal() })).toEqual({
      feedback: undefined,
    });
  });

  test('when the owner is killed its hooks are gone [HOOK-18]', async () => {
    const program = path.join(place, 'owner.mjs');
    await build({
      stdin: {
        contents: `
          import { createToolHooks } from '../../src/hooks/create-tool-hooks.ts';
          const cwd = process.argv[2];
          const definition = { event: 'PreToolUse', name: 'H', matcher: '', timeoutMs: 60000, fail: 'closed',
            command: ${JSON.stringify(`${TREE} sleep 1000`)} };
          const hooks = createToolHooks({ hooks: [definition], threadId: 't', environment: process.env, onNotice() {} });
          await hooks.before({ turnId: 't', callId: 'c', tool: 'x', kind: 'plan', input: {}, cwd },
            { signal: new AbortController().signal });`,
        resolveDir: import.meta.dirname,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: ['quire-source'],
      outfile: program,
    });
    const owner = spawn(process.execPath, [program, place], { stdio: ['ignore', 'ignore', 'inherit'] });
    await waitFor(isWritten('pid'));
    const ended = once(owner, 'exit');
    owner.kill('SIGKILL');
    await ended;
    await waitFor(() => !isAlive(pidIn('pid')));
  });
});
