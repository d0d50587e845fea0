import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import type { ApprovalRequest, Approvals } from '../../src/ports/approvals.ts';
import type { ShellToolForm } from '../../src/thread/settings.ts';
import { CommandCalls, RecordingRunner } from './support/command-calls.ts';

const PATCH = '*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch';
const PATCHED = 'Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nA new.txt\n';

/** A call of each tool that runs `words`, which need no quoting. */
const callOf: Readonly<Record<string, (words: string) => JsonObject>> = {
  shell: (words) => ({ command: ['bash', '-lc', words] }),
  'container.exec': (words) => ({ command: ['bash', '-lc', words] }),
  local_shell: (words) => ({ type: 'exec', command: ['bash', '-lc', words] }),
  shell_command: (words) => ({ command: words }),
  exec_command: (words) => ({ cmd: words }),
};
const TOOLS = Object.keys(callOf);

const item = {
  kind: 'command-execution',
  id: 'c1',
  command: "/bin/bash -lc 'make it'",
  cwd: '/repo',
  output: 'done\n',
  exitCode: 0,
  durationMs: 140,
  status: 'completed',
};

describe('which tools there are', () => {
  const forms: readonly [ShellToolForm, readonly string[]][] = [
    ['shell', ['shell']],
    ['local-shell', ['local_shell']],
    ['shell-command', ['shell_command']],
    ['unified-exec', ['exec_command', 'write_stdin']],
    ['none', []],
  ];
  test.each(forms)('the form %s offers its own tools and no others [CMD-01]', (form, names) => {
    const { specs } = new CommandCalls({ form });
    expect(specs.map((spec) => ('name' in spec ? spec.name : spec.type))).toEqual(names);
  });

  test.each(TOOLS)('%s is served whichever form is offered [CMD-01]', async (name) => {
    for (const form of ['shell', 'unified-exec'] as const) {
      const calls = new CommandCalls({ form });
      await calls.call(name, callOf[name]?.('make it') ?? {});
      expect(calls.runner.commands).toHaveLength(1);
    }
    const none = await new CommandCalls({ form: 'none' }).call(name, callOf[name]?.('make it') ?? {});
    expect(none.output).toBe(`unsupported call: ${name}`);
  });

  test('every function tool has a closed schema that is not strict, and write_stdin alone no approval fields [CMD-02]', () => {
    const specs = (['shell', 'shell-command', 'unified-exec'] as const).flatMap(
      (form) => new CommandCalls({ form }).specs,
    );
    const shapes = specs.map((spec) => {
      if (spec.type !== 'function') throw new Error('a function tool was expected');
      const { properties, required, additionalProperties } = spec.parameters as JsonObject;
      return [spec.name, spec.strict, Object.keys(properties as JsonObject), required, additionalProperties];
    });
    const approval = ['sandbox_permissions', 'justification', 'prefix_rule'];
    expect(shapes).toEqual([
      ['shell', false, ['command', 'workdir', 'timeout_ms', ...approval], ['command'], false],
      ['shell_command', false, ['command', 'workdir', 'login', 'timeout_ms', ...approval], ['command'], false],
      [
        'exec_command',
        false,
        ['cmd', 'workdir', 'shell', 'login', 'tty', 'yield_time_ms', 'max_output_tokens', ...approval],
        ['cmd'],
        false,
      ],
      ['write_stdin', false, ['session_id', 'chars', 'yield_time_ms', 'max_output_tokens'], ['session_id'], false],
    ]);
  });
});

describe('what is run', () => {
  test('shell runs the argument vector itself [CMD-03]', async () => {
    const calls = new CommandCalls();
    const served = await calls.call('shell', { command: ['ls', 'a b'], workdir: 'sub', timeout_ms: 5 });
    expect(calls.runner.commands).toEqual([
      { argv: ['ls', 'a b'], cwd: '/repo/sub', environment: {}, timeoutMs: 5, confinement: { kind: 'none' } },
    ]);
    expect(served.endItem).toEqual({ ...item, command: "ls 'a b'", cwd: '/repo/sub' });
  });

  test('local_shell runs the action of its call, with its directory, limit and variables [CMD-04]', async () => {
    const calls = new CommandCalls();
    const action = {
      type: 'exec',
      command: ['ls'],
      working_directory: '/tmp',
      timeout_ms: 7,
      env: { LANG: 'C' },
      user: null,
    };
    const served = await calls.serve({ type: 'local_shell_call', call_id: 'c1', status: 'completed', action });
    expect(calls.runner.commands).toEqual([
      { argv: ['ls'], cwd: '/tmp', environment: { LANG: 'C' }, timeoutMs: 7, confinement: { kind: 'none' } },
    ]);
    expect(served.output).toBe('{"output":"done\\n","metadata":{"exit_code":0,"duration_seconds":0.1}}');
    const other = await calls.serve({
      type: 'local_shell_call',
      call_id: 'c2',
      status: 'completed',
      action: { type: 'open', command: ['x'] },
    });
    expect(other.output).toBe(
      'failed to parse function arguments: an action of `local_shell` must have the type `exec`',
    );
  });

  test('exec_command runs a script in a shell of its choice with a plain environment [CMD-05]', async () => {
    const calls = new CommandCalls();
    const args = { cmd: 'ls', workdir: '/x', shell: 'zsh', login: false, tty: true, yield_time_ms: 400 };
    const served = await calls.call('exec_command', args);
    expect(calls.runner.commands).toEqual([
      {
        script: 'ls',
        shell: 'zsh',
        login: false,
        tty: true,
        cwd: '/x',
        yieldMs: 400,
        confinement: { kind: 'none' },
        environment: {
          NO_COLOR: '1',
          TERM: 'dumb',
          COLORTERM: '',
          LANG: 'C.UTF-8',
          LC_ALL: 'C.UTF-8',
          LC_CTYPE: 'C.UTF-8',
          PAGER: 'cat',
          GIT_PAGER: 'cat',
          GH_PAGER: 'cat',
          CODEX_CI: '1',
        },
      },
    ]);
    expect(served.endItem).toMatchObject({ command: 'zsh -c ls', cwd: '/x' });
  });

  const yields: readonly [string, JsonObject, number][] = [
    ['exec_command', { cmd: 'x' }, 10_000],
    ['exec_command', { cmd: 'x', yield_time_ms: 1 }, 250],
    ['exec_command', { cmd: 'x', yield_time_ms: 99_999 }, 30_000],
    ['write_stdin', { session_id: 1, chars: 'x' }, 250],
    ['write_stdin', { session_id: 1, chars: 'x', yield_time_ms: 99_999 }, 30_000],
    ['write_stdin', { session_id: 1 }, 5_000],
    ['write_stdin', { session_id: 1, chars: null, yield_time_ms: 10 }, 5_000],
    ['write_stdin', { session_id: 1, chars: '', yield_time_ms: 999_999 }, 300_000],
  ];
  test.each(yields)('%s with %j waits %i ms [CMD-06]', async (name, args, yieldMs) => {
    const calls = new CommandCalls();
    await calls.call(name, args);
    expect([...calls.runner.commands, ...calls.runner.writes]).toEqual([expect.objectContaining({ yieldMs })]);
  });
});

describe('what the model is told', () => {
  test('shell_command answers with text [CMD-07]', async () => {
    const { output, endItem, events } = await new CommandCalls().call('shell_command', { command: 'make it' });
    expect(output).toBe('Exit code: 0\nWall time: 0.1 seconds\nOutput:\ndone\n');
    expect(endItem).toEqual(item);
    expect(events).toEqual([
      {
        kind: 'item-start',
        turnId: 'turn',
        item: { ...item, output: '', exitCode: undefined, durationMs: undefined, status: 'in-progress' },
      },
      { kind: 'command-output-delta', turnId: 'turn', itemId: 'c1', delta: 'done\n' },
    ]);
  });

  test('shell answers with JSON, also of what failed, and long output tells its lines [CMD-08]', async () => {
    const output = `${'line\n'.repeat(20_000)}last\n`;
    const runner = new RecordingRunner(() => ({
      end: { kind: 'exited', exitCode: 3 },
      output,
      totalLines: 20_001,
      durationMs: 2_000,
    }));
    const served = await new CommandCalls({ runner }).call('shell', { command: ['make'] });
    const body = JSON.parse(served.output) as { output: string; metadata: unknown };
    expect(body.metadata).toEqual({ exit_code: 3, duration_seconds: 2 });
    expect(body.output.startsWith('Total output lines: 20001\n\nline\n')).toBe(true);
    expect(body.output).toMatch(/…\d+ (?:tokens|chars) truncated…/);
    expect(body.output.endsWith('last\n')).toBe(true);
    expect(served.result.failed).toBe(true);
    expect(served.endItem).toMatchObject({ status: 'failed', exitCode: 3 });
  });

  test('exec_command tells the session that goes on, or how it ended [CMD-09]', async () => {
    const calls = new CommandCalls();
    const running = await calls.call('exec_command', { cmd: 'make it' });
    expect(running.output).toBe(
      'Chunk ID: 000abc\nWall time: 0.3335 seconds\nProcess running with session ID 16607\nOriginal token count: 1\nOutput:\nup\n',
    );
    expect(running.endItem).toEqual({ ...item, output: 'up\n', exitCode: undefined, durationMs: 333.46 });
    expect(running.result.failed).toBeUndefined();
    calls.runner.reading = { end: { kind: 'exited', exitCode: 2 }, output: 'x'.repeat(63), omittedBytes: 1 };
    const ended = await calls.call('exec_command', { cmd: 'make it' });
    expect(ended.output.split('\n').slice(2, 4)).toEqual(['Process exited with code 2', 'Original token count: 16']);
    expect(ended.endItem).toMatchObject({ exitCode: 2, status: 'failed' });
  });

  test('the output budget is what was asked for and never more than the policy of the model [CMD-10]', async () => {
    const calls = new CommandCalls({ settings: { toolOutputTokenLimit: 20 } });
    calls.runner.reading = { output: 'x'.repeat(1_000) };
    const outputs = [5, 1_000].map(async (tokens) => {
      const { output } = await calls.call('exec_command', { cmd: 'x', max_output_tokens: tokens });
      return output.split('Output:\n')[1]?.replace(/x+/g, (run) => String(run.length));
    });
    expect(await Promise.all(outputs)).toEqual([
      'Total output lines: 1\n\n10…245 tokens truncated…10',
      'Total output lines: 1\n\n40…230 tokens truncated…40',
    ]);
  });

  test('write_stdin gives the same form, shows people what was typed, and says why it could not [CMD-11]', async () => {
    const calls = new CommandCalls();
    calls.runner.writing = {
      kind: 'read',
      reading: { sessionId: 7, output: 'ok\r\n', omittedBytes: 0, end: { kind: 'exited', exitCode: 0 }, durationMs: 1 },
    };
    const typed = await calls.call('write_stdin', { session_id: 7, chars: 'ls\n' });
    expect(typed.output).toBe(
      'Chunk ID: 000abc\nWall time: 0.0010 seconds\nProcess exited with code 0\nOriginal token count: 1\nOutput:\nok\r\n',
    );
    expect(typed.endItem).toMatchObject({ command: "write_stdin 7 'ls\n'", output: 'ok\r\n', exitCode: 0 });
    calls.runner.writing = { kind: 'unknown-session' };
    const unknown = await calls.call('write_stdin', { session_id: 7 });
    calls.runner.writing = { kind: 'input-closed' };
    const closed = await calls.call('write_stdin', { session_id: 7, chars: 'x' });
    expect([unknown.output, closed.output]).toEqual([
      'write_stdin failed: Unknown process id 7',
      'write_stdin failed: stdin of session 7 is closed; run the command again with `tty=true` to type into it',
    ]);
    expect(calls.runner.writes).toEqual([
      { id: 7, text: 'ls\n', yieldMs: 250 },
      { id: 7, text: '', yieldMs: 5_000 },
      { id: 7, text: 'x', yieldMs: 250 },
    ]);
  });

  const ends = [
    [{ kind: 'timed-out' }, 'Exit code: 124', 'command timed out after 10000 milliseconds'],
    [{ kind: 'signalled', signal: 'SIGSEGV' }, 'Exit code: -1', 'command was ended by signal SIGSEGV'],
  ] as const;
  test.each(ends)('an end %j is told [CMD-12]', async (end, code, line) => {
    const calls = new CommandCalls({ runner: new RecordingRunner(() => ({ end, output: 'part\n' })) });
    const { output } = await calls.call('shell_command', { command: 'make it' });
    expect(output).toBe(`${code}\nWall time: 0.1 seconds\nOutput:\n${line}\npart\n`);
  });

  test.each(TOOLS)('what could not be started through %s is told with the reason [CMD-12]', async (name) => {
    const end = { kind: 'not-started', reason: 'no sandbox works here' } as const;
    const calls = new CommandCalls({ runner: new RecordingRunner(() => ({ end, output: '' })) });
    calls.runner.reading = { end, output: '' };
    const { output, endItem, result } = await calls.call(name, callOf[name]?.('make it') ?? {});
    const prefix = name === 'exec_command' ? 'exec_command failed' : 'execution error';
    expect(output).toBe(`${prefix}: no sandbox works here`);
    expect([endItem, result.failed]).toEqual([expect.objectContaining({ status: 'failed', output }), true]);
  });

  test.each([...TOOLS, 'write_stdin'])('an abort of %s is told with the time it took [CMD-13]', async (name) => {
    const calls = new CommandCalls();
    calls.runner.onCall = () => calls.controller.abort(new Error('stop'));
    calls.runner.writing = {
      kind: 'read',
      reading: { sessionId: 7, output: 'x', omittedBytes: 0, end: undefined, durationMs: 1 },
    };
    const served = await calls.call(name, callOf[name]?.('make it') ?? { session_id: 7 });
    expect(served.output).toBe('Wall time: 0.1 seconds\naborted by user');
    expect(served.endItem).toMatchObject({ status: 'failed', output: expect.stringMatching(/./) });
  });
});

describe('approval', () => {
  function person(answer: 'approved' | 'denied'): { approvals: Approvals; asked: ApprovalRequest[] } {
    const asked: ApprovalRequest[] = [];
    const ask: Approvals['ask'] = async (request) => {
      asked.push(request);
      return { kind: answer };
    };
    return { asked, approvals: { ask } };
  }

  test.each(TOOLS)('%s asks for escalation with its reason and runs unconfined when allowed [CMD-14]', async (name) => {
    const { approvals, asked } = person('approved');
    const calls = new CommandCalls({
      approvals,
      settings: { approvalPolicy: 'on-request', sandbox: { ...READ_ONLY } },
    });
    const fields = { sandbox_permissions: 'require_escalated', justification: 'It needs the network.' };
    await calls.call(name, { ...callOf[name]?.('make it'), ...fields });
    expect(asked).toEqual([
      expect.objectContaining({ kind: 'command', callId: 'c1', reason: 'It needs the network.', unconfined: true }),
    ]);
    expect(asked[0]).toMatchObject({ argv: [expect.stringMatching(/bash$/), '-lc', 'make it'], cwd: '/repo' });
    expect(calls.runner.commands).toEqual([expect.objectContaining({ confinement: { kind: 'none' } })]);
  });

  test.each(TOOLS)('without escalation %s runs confined [CMD-14]', async (name) => {
    const calls = new CommandCalls({ settings: { approvalPolicy: 'on-request', sandbox: { ...READ_ONLY } } });
    await calls.call(name, callOf[name]?.('make it') ?? {});
    const confinement = { kind: 'sandbox', writableRoots: [], network: 'off' };
    expect(calls.runner.commands).toEqual([expect.objectContaining({ confinement })]);
  });

  test.each(TOOLS)(
    'a refusal of %s is told in the words of the policy and shown as declined [CMD-15]',
    async (name) => {
      const { approvals } = person('denied');
      const calls = new CommandCalls({
        approvals,
        settings: { approvalPolicy: 'untrusted', sandbox: { ...READ_ONLY } },
      });
      const { output, endItem, result } = await calls.call(name, callOf[name]?.('make it') ?? {});
      expect(output).toBe('exec command rejected by user');
      expect([endItem, result.failed]).toEqual([expect.objectContaining({ status: 'declined', output }), true]);
      expect(calls.runner.commands).toEqual([]);
    },
  );
});

const READ_ONLY = {
  mode: 'read-only',
  writableRoots: [],
  networkAccess: false,
  excludeTmpdirEnvVar: false,
  excludeSlashTmp: false,
} as const;

describe('patches in commands', () => {
  test.each(TOOLS)('%s applies a patch itself, with the result of the tool for it [CMD-16]', async (name) => {
    const heredoc = `cd sub && apply_patch <<'EOF'\n${PATCH}\nEOF`;
    const calls = new CommandCalls();
    const { output } = await calls.call(name, callOf[name]?.(heredoc) ?? {});
    expect(output).toBe(PATCHED);
    expect(calls.files.files.get('/repo/sub/new.txt')).toBe('hello\n');
    expect(calls.runner.commands).toEqual([]);
  });

  test('shell takes the patch as an argument as well, and a bare patch is refused [CMD-16]', async () => {
    const calls = new CommandCalls();
    await calls.call('shell', { command: ['applypatch', PATCH] });
    expect(calls.files.files.get('/repo/new.txt')).toBe('hello\n');
    for (const [name, args] of [
      ['shell', { command: [PATCH] }],
      ['exec_command', { cmd: PATCH }],
    ] as const) {
      const { output } = await calls.call(name, args);
      expect(output).toBe('this is a patch, not a command: call the `apply_patch` tool with it');
    }
    expect(calls.runner.commands).toEqual([]);
  });
});

describe('arguments that are wrong', () => {
  const P = 'failed to parse function arguments: ';
  const cases: readonly [string, JsonObject | string, string][] = [
    ['shell', '{"command":', expect.stringMatching(new RegExp(`^${P}`)) as unknown as string],
    ['shell', '[]', `${P}expected a JSON object`],
    ['shell', {}, `${P}missing field \`command\``],
    ['shell', { command: 'ls' }, `${P}\`command\` must be an array of strings: the program and its arguments`],
    ['shell', { command: [1] }, `${P}\`command\` must be an array of strings: the program and its arguments`],
    ['shell', { command: [] }, `${P}\`command\` must begin with the program to run`],
    ['shell', { command: ['ls'], workdir: 5 }, `${P}\`workdir\` must be a string`],
    ['shell', { command: ['ls'], timeout_ms: 0 }, `${P}\`timeout_ms\` must be a positive number`],
    ['local_shell', { command: ['ls'], env: [] }, `${P}\`env\` must be an object`],
    ['local_shell', { command: ['ls'], env: { A: 1 } }, `${P}\`env.A\` must be a string`],
    ['shell_command', { command: ['ls'] }, `${P}\`command\` must be one string: the script`],
    ['shell_command', { command: 'ls', login: 'yes' }, `${P}\`login\` must be a boolean`],
    [
      'shell_command',
      { command: 'ls', sandbox_permissions: 'all' },
      `${P}\`sandbox_permissions\` must be "use_default" or "require_escalated"`,
    ],
    ['shell_command', { command: 'ls', justification: 1 }, `${P}\`justification\` must be a string`],
    ['shell_command', { command: 'ls', prefix_rule: 'ls' }, `${P}\`prefix_rule\` must be an array of strings`],
    ['exec_command', {}, `${P}missing field \`cmd\``],
    ['exec_command', { cmd: 1 }, `${P}\`cmd\` must be one string: the script`],
    ['exec_command', { cmd: 'ls', shell: 1 }, `${P}\`shell\` must be a string`],
    ['exec_command', { cmd: 'ls', tty: 1 }, `${P}\`tty\` must be a boolean`],
    ['exec_command', { cmd: 'ls', yield_time_ms: 'x' }, `${P}\`yield_time_ms\` must be a number`],
    ['exec_command', { cmd: 'ls', max_output_tokens: -1 }, `${P}\`max_output_tokens\` must be a number from 0`],
    ['write_stdin', {}, `${P}missing field \`session_id\``],
    ['write_stdin', { session_id: 1.5 }, `${P}\`session_id\` must be an integer`],
    ['write_stdin', { session_id: 1, chars: 1 }, `${P}\`chars\` must be a string`],
  ];
  test.each(cases)('%s with %j is refused and runs nothing [CMD-17]', async (name, args, message) => {
    const calls = new CommandCalls();
    const { output, endItem } = await calls.call(name, args);
    expect(output).toEqual(message);
    expect(endItem).toMatchObject({ kind: 'tool-error', tool: name });
    expect([...calls.runner.commands, ...calls.runner.writes]).toEqual([]);
  });
});
