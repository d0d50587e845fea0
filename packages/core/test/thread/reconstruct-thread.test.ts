import { ThreadReconstruction } from '@quire/core';
import type { ResponseItem, RolloutLine } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { calls, done, itemName, names, openTestThread, ScriptedRunner, says, settings, step } from './harness.ts';

function rebuild(lines: readonly RolloutLine[]) {
  const reconstruction = new ThreadReconstruction();
  for (const line of lines.toReversed()) if (reconstruction.addOlder(line) === 'enough') break;
  return reconstruction.finish();
}

function item(payload: ResponseItem): RolloutLine {
  return { type: 'response_item', payload };
}

function user(text: string): RolloutLine {
  return item({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
}

function event(type: string, fields: Readonly<Record<string, number | string>> = {}): RolloutLine {
  return { type: 'event_msg', payload: { type, ...fields } };
}

function outputsIn(items: readonly ResponseItem[]): readonly unknown[] {
  return items.flatMap((item) => (item.type === 'function_call_output' ? [[item.call_id, item.output]] : []));
}

describe('a thread opened again', () => {
  test('sends the same prefix as before, byte for byte, and outputs are on disk in call order [CORE-30, CORE-269]', async () => {
    const runner = new ScriptedRunner();
    const before = openTestThread({
      runner,
      steps: [
        step(
          calls('slow', 'shell_command', { command: 'a' }),
          calls('fast', 'shell_command', { command: 'b' }),
          done(),
        ),
        step(says('Ok.'), done()),
      ],
    });
    const turn = before.run('go');
    await runner.started(/* count */ 2);
    runner.running[1]?.finish('fast');
    // The fast output must be on disk before the slow one is done.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const killedHere = [...before.rollout.lines];
    runner.running[0]?.finish('slow');
    await turn;

    const after = openTestThread({ steps: [step(says('Again.'), done())], seed: rebuild(before.rollout.lines) });
    await after.run('next');

    const written = before.rollout.summary.filter((name) => name.includes('_output'));
    expect(written).toEqual([
      'event:tool_output_ahead',
      'item:function_call_output:slow',
      'item:function_call_output:fast',
    ]);
    const last = before.model.requests[1]?.input ?? [];
    expect(JSON.stringify(after.model.requests[0]?.input.slice(0, last.length))).toBe(JSON.stringify(last));
    expect(names(after.model.requests[0]).slice(last.length)).toEqual(['assistant-message', 'user-message']);

    const killed = openTestThread({ steps: [step(says('Again.'), done())], seed: rebuild(killedHere) });
    await killed.run('next');
    const outputs = outputsIn(killed.model.requests[0]?.input ?? []);
    expect(outputs).toEqual([
      ['slow', 'aborted'],
      ['fast', expect.stringContaining('fast')],
    ]);
    const again = openTestThread({
      steps: [step(says('On.'), done())],
      seed: rebuild([...killedHere, ...killed.rollout.lines]),
    });
    await again.run('on');
    expect(outputsIn(again.model.requests[0]?.input ?? [])).toEqual(outputs);
  });

  test('goes on counting tokens where it stopped [CORE-31]', async () => {
    const before = openTestThread({ steps: [step(says('One.'), done())] });
    await before.run('go');

    const after = openTestThread({ steps: [step(says('Two.'), done())], seed: rebuild(before.rollout.lines) });
    await after.run('go');

    expect(after.thread.usage?.total).toEqual({
      inputTokens: 20,
      cachedInputTokens: 8,
      outputTokens: 10,
      reasoningOutputTokens: 2,
      totalTokens: 30,
    });
  });

  test('tells the model only what changed since its last turn [CORE-32]', async () => {
    const before = openTestThread({ steps: [step(says('One.'), done())] });
    await before.run('go');
    const seed = rebuild(before.rollout.lines);

    const moved = openTestThread({
      steps: [step(says('Two.'), done())],
      seed,
      settings: settings({ cwd: '/elsewhere' }),
    });
    await moved.run('go');
    const restricted = openTestThread({
      steps: [step(says('Two.'), done())],
      seed,
      settings: settings({ sandbox: { ...settings().sandbox, mode: 'read-only' } }),
    });
    await restricted.run('go');

    const added = names(moved.model.requests[0]).slice(4);
    expect(added).toEqual(['user-message', 'user-message']);
    expect(moved.model.requests[0]?.input[4]).toEqual({
      type: 'message',
      role: 'user',
      content: [
        {
          type: 'input_text',
          text: '<environment_context>\n  <cwd>/elsewhere</cwd>\n  <shell>bash</shell>\n  <current_date>2025-11-21</current_date>\n  <timezone>UTC</timezone>\n</environment_context>',
        },
      ],
    });
    expect(names(restricted.model.requests[0]).slice(4)).toEqual(['developer-message', 'user-message']);
  });

  test('is told the project instructions again only when they changed [CORE-38]', async () => {
    const withInstructions = (text: string | undefined) => settings({ projectInstructions: text });
    const before = openTestThread({ steps: [step(says('One.'), done())], settings: withInstructions('Use tabs.') });
    await before.run('go');
    const resumed = async (text: string | undefined) => {
      const seed = rebuild(before.rollout.lines);
      const t = openTestThread({ steps: [step(says('Two.'), done())], seed, settings: withInstructions(text) });
      await t.run('go');
      return t.model.requests[0]?.input.slice(4).flatMap((entry) => (entry.type === 'message' ? entry.content : []));
    };

    expect(await resumed('Use tabs.')).toHaveLength(1);
    expect((await resumed('Use spaces.'))?.[0]).toEqual({
      type: 'input_text',
      text: '# AGENTS.md instructions for /repo\n\n<INSTRUCTIONS>\nUse spaces.\n</INSTRUCTIONS>',
    });
    expect(JSON.stringify((await resumed(/* text */ undefined))?.[0])).toContain('no longer apply');
  });

  test('repairs a call that was left open, in the request and not in the record [CORE-33]', async () => {
    const call: ResponseItem = { type: 'function_call', call_id: 'lost', name: 'shell_command', arguments: '{}' };
    const seed = rebuild([event('task_started'), user('go'), item(call)]);
    const t = openTestThread({ steps: [step(says('Ok.'), done())], seed });

    await t.run('next');

    expect(seed.endsInsideTurn).toBe(true);
    expect(t.model.requests[0]?.input.slice(0, 3)).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }] },
      call,
      { type: 'function_call_output', call_id: 'lost', output: 'aborted' },
    ]);
    expect(t.rollout.summary).not.toContain('item:function_call_output:lost');
  });

  test('without its last turns when they were rolled back [CORE-34]', () => {
    const seed = rebuild([user('one'), user('two'), user('three'), event('thread_rolled_back', { num_turns: 2 })]);

    expect(seed.history.map(itemName)).toEqual(['user-message']);
    expect(seed.baseline).toBeUndefined();
  });

  test('starts from the replacement after a compaction [CORE-35]', () => {
    const replacement: ResponseItem = {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: 'summary' }],
    };
    const seed = rebuild([
      user('old'),
      { type: 'compacted', payload: { message: 'summary', replacement_history: [replacement] } },
      user('new'),
    ]);

    expect(seed.history).toEqual([
      replacement,
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'new' }] },
    ]);
  });
});
