import { readFile } from 'node:fs/promises';
import type { JsonObject } from '@quire/protocol';
import {
  brokenCompactions,
  compacted,
  functionCall,
  isCompactionTrigger,
  type RecordedRequest,
  respond,
  text,
} from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  addedTo,
  answersAll,
  createScene,
  FULL_ACCESS,
  lastRequest,
  linesOf,
  OTHER_MODEL,
  outlineOf,
  requestAt,
  type SceneOptions,
  userText,
} from './scene.ts';

const OPENAI: SceneOptions = { providerName: 'OpenAI', config: ['compaction.ledger=false'] };
const LIMIT = 'model_auto_compact_token_limit=20000';
const FULL = { inputTokens: 50_000, outputTokens: 10 };
const STALE: readonly JsonObject[] = [
  {
    type: 'message',
    role: 'developer',
    content: [{ type: 'input_text', text: '<permissions instructions>stale</permissions instructions>' }],
  },
  { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'system words' }] },
  userText('# AGENTS.md instructions for /elsewhere\n\n<INSTRUCTIONS>\nstale\n</INSTRUCTIONS>'),
  userText('<environment_context>\n  <cwd>/elsewhere</cwd>\n</environment_context>'),
  userText('first'),
  { type: 'function_call', call_id: 'call-1', name: 'shell_command', arguments: '{}' },
  { type: 'function_call_output', call_id: 'call-1', output: 'stale' },
  { type: 'reasoning', id: 'rs-1', summary: [], encrypted_content: 'stale' },
  { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'An answer.' }] },
  { type: 'compaction', encrypted_content: 'c3VtbWFyeQ==' },
];

/** A first turn with a call and an answer, long enough to be worth compacting. */
const FIRST_TURN = [
  respond(functionCall('call-1', 'shell_command', { command: 'printf %04000d 1' })),
  respond(text('An answer.')),
];

describe('the endpoint of the provider', () => {
  test('is asked with the whole history, and its answer is cleaned of stale context, calls and reasoning [CTX-22]', async () => {
    await using scene = await createScene({
      ...OPENAI,
      steps: FIRST_TURN,
      rules: answersAll(),
      compactions: [compacted(...STALE)],
    });
    await scene.write('AGENTS.md', 'Use tabs.\n');
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.compact();
    await thread.run('second', { overrides: { model: OTHER_MODEL } });

    const asked = scene.simulator.compactions[0] as RecordedRequest;
    expect(asked.path).toMatch(/\/responses\/compact$/);
    expect(outlineOf(asked)).toEqual([...outlineOf(requestAt(scene, /* index */ 1)), 'assistant: An answer.']);
    expect(scene.show([requestAt(scene, /* index */ 2)], ['second turn'])).toMatchInlineSnapshot(`
      "## second turn
      http, model gpt-5.1-codex-max
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, web_search, view_image
      0 message user: first
      1 message assistant: An answer.
      2 compaction: (encrypted)
      3 message developer: <model_switch> <permissions instructions>
      4 message user: # AGENTS.md instructions <environment_context>
      5 message user: second"
    `);
    expect((await linesOf(thread)).find((line) => line['type'] === 'compacted')).toMatchObject({
      payload: { message: '', replacement_history: [{ role: 'user' }, { role: 'assistant' }, { type: 'compaction' }] },
    });
  });

  test('inside a turn gets the context before the last message of a person [CTX-22]', async () => {
    await using scene = await createScene({
      ...OPENAI,
      config: ['compaction.ledger=false', LIMIT],
      steps: [
        respond(text('One.')),
        respond(functionCall('call-1', 'shell_command', { command: 'printf %04000d 1' }), { usage: FULL }),
      ],
      rules: answersAll(),
    });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.run('second');
    await thread.run('third');

    expect(outlineOf(requestAt(scene, /* index */ 2))).toEqual([
      'user: first',
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: second',
      'compaction',
    ]);
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 2), requestAt(scene, /* index */ 3)) })).toEqual([
      'assistant: Answer 2.',
      'user: third',
    ]);
  });

  test('that gives back no message of the user does not lose what was said last [CTX-22]', async () => {
    await using scene = await createScene({
      ...OPENAI,
      steps: FIRST_TURN,
      rules: answersAll(),
      compactions: [compacted({ type: 'compaction', encrypted_content: 'c3VtbWFyeQ==' })],
    });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.compact();
    await thread.run('second');

    expect(outlineOf(requestAt(scene, /* index */ 2)).filter((line) => !line.includes('<'))).toEqual([
      'user: first',
      'compaction',
      'user: second',
    ]);
  });

  test('leaves the same next request after a resume and after a second compaction [CTX-22]', async () => {
    await using scene = await createScene({ ...OPENAI, steps: FIRST_TURN, rules: answersAll() });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.compact();
    await thread.run('second');
    await thread.close();
    await using again = await scene.resume(thread, FULL_ACCESS);
    await again.run('third');
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 2), requestAt(scene, /* index */ 3)) })).toEqual([
      'assistant: Answer 2.',
      'user: third',
    ]);
    await again.compact();
    await again.run('fourth');

    expect(outlineOf(lastRequest(scene)).filter((line) => line === 'compaction')).toEqual(['compaction']);
  });
});

describe('the trigger of the provider', () => {
  const TRIGGER: SceneOptions = {
    ...OPENAI,
    config: ['compaction.ledger=false', 'compaction.strategies=["trigger","local"]'],
  };

  test('is the last item of an ordinary request with all tools, is not stored, and its answer stands last [CTX-23]', async () => {
    await using scene = await createScene({ ...TRIGGER, steps: FIRST_TURN, rules: answersAll() });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.compact();
    await thread.run('second');

    const asked = requestAt(scene, /* index */ 2);
    expect(isCompactionTrigger(asked)).toBe(true);
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 1), asked) })).toEqual([
      'assistant: An answer.',
      'compaction_trigger',
    ]);
    expect(outlineOf(requestAt(scene, /* index */ 3))).toEqual([
      'user: first',
      'compaction',
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: second',
    ]);
    expect(await readFile(thread.facts.rolloutPath ?? '', 'utf8')).not.toContain('compaction_trigger');
  });
});

describe('a compaction that the provider answers badly', () => {
  test.each(Object.entries(brokenCompactions).filter(([name]) => name !== 'hang'))(
    '(%s) leaves a thread that goes on [CTX-25]',
    async (_, compaction) => {
      await using scene = await createScene({
        ...OPENAI,
        provider: 'request_max_retries=0,stream_max_retries=0',
        steps: FIRST_TURN,
        compaction,
        rules: answersAll(),
        expectLocalCompactions: true,
      });
      const thread = await scene.start(FULL_ACCESS);
      await thread.run('first');
      await thread.compact();
      expect((await thread.run('second')).finalResponse).toMatch(/^Answer/);
      await thread.close();
      await using again = await scene.resume(thread, FULL_ACCESS);
      expect((await again.run('third')).finalResponse).toMatch(/^Answer/);
    },
  );

  test('or not at all is given up within its deadline, the history as it was [CTX-25]', async () => {
    await using scene = await createScene({
      ...OPENAI,
      config: ['compaction.deadline_seconds=1', 'compaction.strategies=["endpoint"]'],
      steps: FIRST_TURN,
      compaction: brokenCompactions.hang,
      rules: answersAll(),
    });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await expect(thread.compact()).rejects.toThrow('It is unchanged.');
    await thread.run('second');

    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 1), requestAt(scene, /* index */ 2)) })).toEqual([
      'assistant: An answer.',
      'user: second',
    ]);
  });
});
