import { ModelError } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  calls,
  callsCustom,
  done,
  MemoryFiles,
  MemoryRollout,
  names,
  openTestThread,
  outputs,
  ScriptedRunner,
  says,
  settings,
  step,
} from './harness.ts';

const TRUNCATED = new ModelError('stream-truncated', 'stream closed before response.completed', { retryable: true });

describe('a turn', () => {
  test('announces its start, its items and its end, once and in order [CORE-01]', async () => {
    const t = openTestThread({ steps: [step(says('Hello.'), done())] });

    const outcome = await t.run('hi');

    expect(outcome).toEqual({ kind: 'completed', lastAgentMessage: 'Hello.' });
    expect(t.events.map((event) => event.kind)).toEqual([
      'turn-start',
      'item-end',
      'item-start',
      'text-delta',
      'item-end',
      'token-usage',
      'turn-end',
    ]);
    expect(t.events.at(-1)).toEqual({ kind: 'turn-end', turnId: 'id-1', outcome });
  });

  test('is written line by line in the documented order [CORE-02]', async () => {
    const t = openTestThread({
      steps: [step(calls('call-1', 'shell_command', { command: 'ls' }), done()), step(says('Done.'), done())],
    });

    await t.run('go');

    expect(t.rollout.summary).toEqual([
      'event:task_started',
      'item:developer-message',
      'item:user-message',
      'turn_context',
      'item:user-message',
      'event:user_message',
      'item:function_call:call-1',
      'item:function_call_output:call-1',
      'event:token_count',
      'item:assistant-message',
      'event:agent_message',
      'event:token_count',
      'event:task_complete',
    ]);
  });

  test('tells the model everything once, and then only what the user says [CORE-03]', async () => {
    const t = openTestThread({ steps: [step(says('One.'), done()), step(says('Two.'), done())] });

    await t.run('first');
    await t.run('second');

    expect(names(t.model.requests[0])).toEqual(['developer-message', 'user-message', 'user-message']);
    expect(names(t.model.requests[1])).toEqual([
      'developer-message',
      'user-message',
      'user-message',
      'assistant-message',
      'user-message',
    ]);
    expect(t.model.requests[1]?.input.slice(0, 3)).toEqual(t.model.requests[0]?.input);
  });

  test('runs tools and feeds their outputs back until the model stops [CORE-04]', async () => {
    const t = openTestThread({
      runner: new ScriptedRunner((script) => `ran ${script}\n`),
      steps: [
        step(calls('call-1', 'shell_command', { command: 'ls' }), done()),
        step(calls('call-2', 'shell_command', { command: 'pwd' }), done()),
        step(says('Finished.'), done()),
      ],
    });

    const outcome = await t.run('go');

    expect(outcome).toEqual({ kind: 'completed', lastAgentMessage: 'Finished.' });
    expect(outputs(t.model.requests[2])).toEqual({
      'call-1': 'Exit code: 0\nWall time: 0.1 seconds\nOutput:\nran ls\n',
      'call-2': 'Exit code: 0\nWall time: 0.1 seconds\nOutput:\nran pwd\n',
    });
  });

  test('goes on when the server says that it is not over [CORE-05]', async () => {
    const t = openTestThread({
      steps: [step(says('Thinking.'), done(/* endTurn */ false)), step(says('Done.'), done(/* endTurn */ true))],
    });

    expect(await t.run('go')).toEqual({ kind: 'completed', lastAgentMessage: 'Done.' });
    expect(t.model.requests.length).toBe(2);
  });

  test('answers an unknown tool instead of failing [CORE-06]', async () => {
    const t = openTestThread({
      steps: [
        step(calls('call-1', 'teleport', {}), callsCustom('call-2', 'conjure', 'x'), done()),
        step(says('Ok.'), done()),
      ],
    });

    expect((await t.run('go')).kind).toBe('completed');
    expect(outputs(t.model.requests[1])).toEqual({
      'call-1': 'unsupported call: teleport',
      'call-2': 'unsupported custom tool call: conjure',
    });
  });

  test('answers arguments that are not JSON with the reason [CORE-07]', async () => {
    const broken = {
      type: 'function_call',
      id: 'fc',
      call_id: 'call-1',
      name: 'shell_command',
      arguments: '{"command":',
    } as const;
    const t = openTestThread({
      steps: [step([{ kind: 'item-end', item: broken }], done()), step(says('Ok.'), done())],
    });

    await t.run('go');

    expect(outputs(t.model.requests[1])['call-1']).toMatch(/^failed to parse function arguments: /);
  });

  test('is refused while another one runs [CORE-08]', async () => {
    const t = openTestThread({ steps: [{ events: [], hang: true }] });
    const stop = new AbortController();
    const first = t.run('one', { signal: stop.signal });

    await expect(t.run('two')).rejects.toThrow('a turn is already running in this thread');

    stop.abort(new Error('stop'));
    expect(await first).toEqual({ kind: 'interrupted' });
  });

  test('with a broken record goes on and says so once [CORE-09]', async () => {
    const rollout = new MemoryRollout();
    rollout.failure = new Error('no space left');
    const t = openTestThread({
      rollout,
      steps: [step(calls('call-1', 'shell_command', { command: 'ls' }), done()), step(says('Ok.'), done())],
    });

    expect((await t.run('go')).kind).toBe('completed');
    expect(t.events.filter((event) => event.kind === 'warning')).toEqual([
      {
        kind: 'warning',
        turnId: 'id-1',
        message: 'The record of this thread can not be written, so it may not be resumable: no space left',
      },
    ]);
  });

  test('shows the plan as one item that ends with the turn [CORE-10]', async () => {
    const plan = (status: string) => ({ plan: [{ step: 'Look', status }] });
    const t = openTestThread({
      steps: [
        step(calls('call-1', 'update_plan', plan('in_progress')), done()),
        step(calls('call-2', 'update_plan', plan('completed')), done()),
        step(says('Ok.'), done()),
      ],
    });

    await t.run('go');

    const shown = t.events.flatMap((event) =>
      'item' in event && event.item.kind === 'plan' ? [`${event.kind} ${event.item.steps[0]?.status}`] : [],
    );
    expect(shown).toEqual(['item-start in_progress', 'item-update completed', 'item-end completed']);
    expect(outputs(t.model.requests[2])).toEqual({ 'call-1': 'Plan updated', 'call-2': 'Plan updated' });
  });

  test('names the model that answered when it is another one, once [CORE-11]', async () => {
    const other = { kind: 'server-model', model: 'gpt-5.2' } as const;
    const t = openTestThread({
      steps: [step([other], says('One.'), done(/* endTurn */ false)), step([other], says('Two.'), done())],
    });

    await t.run('go');

    expect(t.events.filter((event) => event.kind === 'warning').map((event) => event.message)).toEqual([
      'The provider answered with model gpt-5.2; gpt-5.2-codex was asked for.',
    ]);
  });
});

describe('a patch', () => {
  const patch = '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+two\n*** End Patch';

  test('changes the file and shows one diff for the turn [CORE-12]', async () => {
    const files = new MemoryFiles({ '/repo/a.txt': 'one\n' });
    const t = openTestThread({
      files,
      steps: [step(callsCustom('call-1', 'apply_patch', patch), done()), step(says('Ok.'), done())],
    });

    await t.run('go');

    expect(files.files.get('/repo/a.txt')).toBe('two\n');
    expect(outputs(t.model.requests[1])['call-1']).toBe(
      'Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nM a.txt\n',
    );
    const diffs = t.events.filter((event) => event.kind === 'turn-diff').map((event) => event.unifiedDiff);
    expect(diffs).toEqual(['diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n']);
  });

  test('inside a shell command is applied without a shell [CORE-13]', async () => {
    const files = new MemoryFiles({ '/repo/sub/a.txt': 'one\n' });
    const command = `cd sub && apply_patch <<'EOF'\n${patch}\nEOF\n`;
    const t = openTestThread({
      files,
      steps: [step(calls('call-1', 'shell_command', { command }), done()), step(says('Ok.'), done())],
    });

    await t.run('go');

    expect(files.files.get('/repo/sub/a.txt')).toBe('two\n');
    expect(t.runner.scripts).toEqual([]);
  });

  test('is refused outside the writable roots, in .git and in read-only mode [CORE-14]', async () => {
    const add = (path: string): string => `*** Begin Patch\n*** Add File: ${path}\n+x\n*** End Patch`;
    const sandbox = { ...settings().sandbox, mode: 'workspace-write' } as const;
    const t = openTestThread({
      settings: settings({ sandbox }),
      steps: [
        step(
          callsCustom('outside', 'apply_patch', add('/etc/x')),
          callsCustom('hook', 'apply_patch', add('.git/hooks/pre-commit')),
          callsCustom('nested', 'apply_patch', add('vendor/.git/config')),
          callsCustom('inside', 'apply_patch', add('src/x.txt')),
          done(),
        ),
        step(says('Ok.'), done()),
      ],
    });

    await t.run('go');

    expect([...t.files.files.keys()]).toEqual(['/repo/src/x.txt']);
    expect(outputs(t.model.requests[1])).toMatchObject({
      outside:
        'patch rejected: /etc/x is outside of the project and of the folders that may be written to, and the settings do not let anybody be asked (approval policy never)',
      hook: 'patch rejected: /repo/.git/hooks/pre-commit is in a protected folder (.git, .codex, .agents, .quire), and the settings do not let anybody be asked (approval policy never)',
      nested:
        'patch rejected: /repo/vendor/.git/config is in a protected folder (.git, .codex, .agents, .quire), and the settings do not let anybody be asked (approval policy never)',
    });
  });
});

describe('a command without full access', () => {
  test('runs in the sandbox, and is refused with the reason when it is dangerous [CORE-15]', async () => {
    const sandbox = { ...settings().sandbox, mode: 'read-only' } as const;
    const t = openTestThread({
      settings: settings({ sandbox }),
      steps: [
        step(
          calls('read', 'shell_command', { command: 'cat a.txt | head -n 3' }),
          calls('remove', 'shell_command', { command: 'rm -rf build' }),
          done(),
        ),
        step(says('Ok.'), done()),
      ],
    });

    await t.run('go');

    expect(t.runner.scripts).toEqual(['cat a.txt | head -n 3']);
    expect(outputs(t.model.requests[1])['remove']).toBe(
      'exec command rejected: this command, which deletes without asking (such as `rm -f`), needs an approval, and the approval policy is never; remove files one by one with plain `rm` or `apply_patch`',
    );
    const ended = t.events.flatMap((event) =>
      event.kind === 'item-end' && event.item.kind === 'command-execution' ? [event.item.status] : [],
    );
    expect(ended.sort()).toEqual(['completed', 'declined']);
  });
});

describe('parallel tool calls', () => {
  test('overlap when they are safe, and their outputs stand in call order [CORE-16]', async () => {
    const runner = new ScriptedRunner();
    const t = openTestThread({
      runner,
      steps: [
        step(
          calls('slow', 'shell_command', { command: 'sleep 2' }),
          calls('fast', 'shell_command', { command: 'true' }),
          done(),
        ),
        step(says('Ok.'), done()),
      ],
    });
    const turn = t.run('go');
    await runner.started(/* count */ 2);
    runner.running[1]?.finish('fast\n');
    runner.running[0]?.finish('slow\n');

    await turn;

    expect(names(t.model.requests[1]).slice(3)).toEqual([
      'function_call:slow',
      'function_call:fast',
      'function_call_output:slow',
      'function_call_output:fast',
    ]);
  });

  test('never overlap with a patch [CORE-17]', async () => {
    const runner = new ScriptedRunner();
    const add = '*** Begin Patch\n*** Add File: x.txt\n+x\n*** End Patch';
    const t = openTestThread({
      runner,
      steps: [
        step(
          calls('before', 'shell_command', { command: 'one' }),
          callsCustom('patch', 'apply_patch', add),
          calls('after', 'shell_command', { command: 'two' }),
          done(),
        ),
        step(says('Ok.'), done()),
      ],
    });
    const turn = t.run('go');
    await runner.started(/* count */ 1);
    const whileFirstRuns = { files: t.files.files.size, scripts: [...runner.scripts] };
    runner.running[0]?.finish('');
    await runner.started(/* count */ 2);
    const afterPatch = t.files.files.size;
    runner.running[1]?.finish('');
    await turn;

    expect(whileFirstRuns).toEqual({ files: 0, scripts: ['one'] });
    expect(afterPatch).toBe(1);
  });
});

describe('a broken stream', () => {
  test('is retried with what was complete, and nothing is seen twice [CORE-18]', async () => {
    const t = openTestThread({
      steps: [
        { events: says('First.', 'm1'), error: TRUNCATED },
        step(says('First.', 'm1'), says('Second.', 'm2'), done()),
      ],
    });

    const outcome = await t.run('go');

    expect(outcome).toEqual({ kind: 'completed', lastAgentMessage: 'Second.' });
    expect(names(t.model.requests[1]).slice(3)).toEqual(['assistant-message']);
    const shown = t.events.flatMap((event) =>
      event.kind === 'item-end' && event.item.kind === 'agent-message' ? [event.item.text] : [],
    );
    expect(shown).toEqual(['First.', 'Second.']);
    expect(t.events.filter((event) => event.kind === 'stream-retry')).toEqual([
      {
        kind: 'stream-retry',
        turnId: 'id-1',
        attempt: 1,
        maxAttempts: 5,
        delayMs: 200,
        cause: { code: 'stream-truncated', message: 'stream closed before response.completed', retryable: true },
      },
    ]);
  });

  test('is retried and what the server says differently the second time is kept, also under the same id [CORE-26]', async () => {
    const t = openTestThread({
      steps: [
        { events: [...says('One.', 'm1'), ...says('Two.', '')], error: TRUNCATED },
        step(says('Other.', 'm1'), says('Three.', ''), done()),
      ],
    });

    await t.run('go');

    const shown = t.events.flatMap((event) =>
      event.kind === 'item-end' && event.item.kind === 'agent-message' ? [event.item.text] : [],
    );
    expect(shown).toEqual(['One.', 'Two.', 'Other.', 'Three.']);
  });

  test('does not run a repeated tool call again [CORE-19]', async () => {
    const call = calls('call-1', 'shell_command', { command: 'touch x' });
    const t = openTestThread({
      steps: [{ events: call, error: TRUNCATED }, step(call, done()), step(says('Ok.'), done())],
    });

    await t.run('go');

    expect(t.runner.scripts).toEqual(['touch x']);
    expect(names(t.model.requests[1]).slice(3)).toEqual(['function_call:call-1', 'function_call_output:call-1']);
    expect(names(t.model.requests[2])).toEqual(names(t.model.requests[1]));
  });

  test('is retried as often as the provider allows, each time after a longer wait [CORE-20]', async () => {
    const t = openTestThread({
      settings: settings({ streamMaxRetries: 3 }),
      steps: Array(4).fill({ events: [], error: TRUNCATED }),
    });

    const outcome = await t.run('go');

    expect(outcome).toEqual({
      kind: 'failed',
      failure: { code: 'stream-truncated', message: 'stream closed before response.completed', retryable: true },
    });
    expect(t.clock.slept).toEqual([200, 400, 800]);
    expect(t.rollout.summary.at(-1)).toBe('event:task_complete');
  });

  test('waits as long as the server asks [CORE-21]', async () => {
    const limited = new ModelError('rate-limited', 'slow down', { retryable: true, retryAfterMs: 1500 });
    const t = openTestThread({ steps: [{ events: [], error: limited }, step(says('Ok.'), done())] });

    expect((await t.run('go')).kind).toBe('completed');
    expect(t.clock.slept).toEqual([1500]);
  });

  test('is not retried when that can not help [CORE-22]', async () => {
    const invalid = new ModelError('invalid-request', 'bad prompt', { retryable: false });
    const t = openTestThread({ steps: [{ events: [], error: invalid }] });

    expect(await t.run('go')).toEqual({
      kind: 'failed',
      failure: { code: 'invalid-request', message: 'bad prompt', retryable: false },
    });
    expect(t.model.requests.length).toBe(1);
  });
});

describe('a call', () => {
  test('under an id that was used before is answered under one of its own [CORE-27]', async () => {
    const t = openTestThread({
      runner: new ScriptedRunner((script) => `${script}\n`),
      steps: [
        step(
          calls('call', 'shell_command', { command: 'one' }),
          calls('call', 'shell_command', { command: 'two' }),
          done(),
        ),
        step(calls('call', 'shell_command', { command: 'three' }), done()),
        step(says('Ok.'), done()),
      ],
    });

    await t.run('go');

    expect(names(t.model.requests[2]).slice(3)).toEqual([
      'function_call:call',
      'function_call:call-2',
      'function_call_output:call',
      'function_call_output:call-2',
      'function_call:call-3',
      'function_call_output:call-3',
    ]);
    expect(outputs(t.model.requests[2])['call-2']).toMatch(/two\n$/);
  });

  test.each([
    [{ command: ['ls'] }, 'failed to parse function arguments: `command` must be one string: the script'],
    [{ timeout_ms: 5 }, 'failed to parse function arguments: missing field `command`'],
    [{ command: 'ls', timeout_ms: 0 }, 'failed to parse function arguments: `timeout_ms` must be a positive number'],
  ])('with the arguments %j is told what is wrong [CORE-28]', async (args, message) => {
    const t = openTestThread({
      steps: [step(calls('call', 'shell_command', args), done()), step(says('Ok.'), done())],
    });

    await t.run('go');

    expect(outputs(t.model.requests[1])).toEqual({ call: message });
  });

  test('with nulls for what is optional, and a time limit beyond all timers, runs [CORE-29]', async () => {
    const args = { command: 'ls', workdir: null, login: null, timeout_ms: 1e30 };
    const t = openTestThread({
      steps: [step(calls('call', 'shell_command', args), done()), step(says('Ok.'), done())],
    });

    await t.run('go');

    expect(t.runner.timeouts).toEqual([86_400_000]);
  });
});

describe('a conversation that does not fit any more', () => {
  test('fails with a remedy, and the window counts as full from then on [CORE-37]', async () => {
    const tooLong = new ModelError('context-window-exceeded', 'too long', { retryable: false });
    const t = openTestThread({ steps: [{ events: [], error: tooLong }] });

    expect(await t.run('go')).toEqual({
      kind: 'failed',
      failure: {
        code: 'context-window-exceeded',
        message: "too long (the conversation no longer fits the model's context window: start a new thread)",
        retryable: false,
      },
    });
    expect(t.thread.usage?.last.totalTokens).toBe(258_400);
  });
});

describe('an interrupt', () => {
  test('settles every open call, then leaves the marker, then ends the turn [CORE-23]', async () => {
    const runner = new ScriptedRunner();
    const t = openTestThread({
      runner,
      steps: [
        step(calls('one', 'shell_command', { command: 'a' }), calls('two', 'shell_command', { command: 'b' }), done()),
        step(says('Later.'), done()),
      ],
    });
    const stop = new AbortController();
    const turn = t.run('go', { signal: stop.signal });
    await runner.started(/* count */ 2);
    stop.abort(new Error('stop'));

    expect(await turn).toEqual({ kind: 'interrupted' });
    expect(t.rollout.summary.slice(-5)).toEqual([
      'item:function_call_output:one',
      'item:function_call_output:two',
      'event:token_count',
      'item:user-message',
      'event:turn_aborted',
    ]);
    await t.run('go on');
    expect(outputs(t.model.requests[1])).toEqual({
      one: 'Wall time: 0.1 seconds\naborted by user',
      two: 'Wall time: 0.1 seconds\naborted by user',
    });
  });

  test('while the model speaks keeps what was complete [CORE-24]', async () => {
    const t = openTestThread({ steps: [{ events: says('Half.'), hang: true }, step(says('Ok.'), done())] });
    const stop = new AbortController();
    const turn = t.run('go', { signal: stop.signal });
    await t.model.requested(/* count */ 1);
    await Promise.resolve();
    setImmediate(() => stop.abort(new Error('stop')));

    expect(await turn).toEqual({ kind: 'interrupted' });
    await t.run('again');
    expect(names(t.model.requests[1]).slice(3)).toEqual(['assistant-message', 'user-message', 'user-message']);
  });
});

describe('steering', () => {
  test('input given during a turn is recorded right before the next request [CORE-25]', async () => {
    const runner = new ScriptedRunner();
    const t = openTestThread({
      runner,
      steps: [step(calls('one', 'shell_command', { command: 'a' }), done()), step(says('Ok.'), done())],
    });
    const turn = t.run('go');
    await runner.started(/* count */ 1);
    const taken = t.thread.steer([{ kind: 'text', text: 'and mind the tests' }]);
    runner.running[0]?.finish('');
    await turn;

    expect(taken).toBe(true);
    expect(names(t.model.requests[1]).slice(3)).toEqual([
      'function_call:one',
      'function_call_output:one',
      'user-message',
    ]);
    expect(t.thread.steer([{ kind: 'text', text: 'too late' }])).toBe(false);
  });
});
