import { type Answer, functionCall, reasoning, respond, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  addedTo,
  answersAll,
  createScene,
  FULL_ACCESS,
  kindsOf,
  lastRequest,
  linesOf,
  OTHER_MODEL,
  outlineOf,
  requestAt,
  type SceneOptions,
  textsOf,
} from './scene.ts';

const LOCAL: SceneOptions = { expectLocalCompactions: true, config: ['compaction.ledger=false'] };
const FULL = { inputTokens: 50_000, outputTokens: 10 };
const LIMIT = 'model_auto_compact_token_limit=20000';
const TOO_LONG: Answer = status(/* code */ 400, {
  body: { error: { code: 'context_length_exceeded', message: 'Your input exceeds the context window.' } },
});

describe('a compaction before a turn', () => {
  const options = { ...LOCAL, config: [...(LOCAL.config ?? []), LIMIT] };

  test('asks for a summary of what was, with nothing of the new input; then the context comes right before that [CTX-12]', async () => {
    await using scene = await createScene({
      ...options,
      steps: [respond(text('One.'), { usage: FULL }), respond(text('The summary.')), respond(text('Two.'))],
    });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second', { overrides: { model: OTHER_MODEL, approvalPolicy: 'on-request' } });

    expect(scene.show(scene.requests, ['first turn', 'summary', 'second turn'])).toMatchInlineSnapshot(`
      "## first turn
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      0 message developer: <permissions instructions>
      1 message user: <environment_context>
      2 message user: first

      ## summary
      http, model gpt-5.1-codex-max
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: none
      . 3 item(s) as before
      3 message assistant: One.
      4 message user:
          - The context window is almost full. Everything above will be removed except for the user's own messages, and whoever goes[… 575 characters …]asantries, long quotations of files, and anything that no longer matters. Do not invent: where you are not sure, say so.

      ## second turn
      http, model gpt-5.1-codex-max
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      0 message user: first
      1 message user:
          - This thread was compacted: its earlier part is gone and stands below as a summary made for you. Go on with the work from there; what the summary says is done needs no second time.
            The summary.
      2 message developer: <model_switch> <permissions instructions>
      3 message user: <environment_context>
      4 message user: second"
    `);
  });

  test('that fails ends the turn and records nothing of its input [CTX-13]', async () => {
    await using scene = await createScene({
      ...options,
      config: [...options.config, 'compaction.strategies=["local"]'],
      steps: [
        respond(text('One.'), { usage: FULL }),
        status(/* code */ 400, { body: { error: { code: 'invalid_prompt', message: 'no' } } }),
        respond(text('The summary.')),
        respond(text('Two.')),
      ],
    });
    await using thread = await scene.start();
    await thread.run('first');
    await expect(thread.run('lost words')).rejects.toThrow('could not be compacted');
    expect(JSON.stringify(await linesOf(thread))).not.toContain('lost words');
    await thread.run('second');

    expect(outlineOf(lastRequest(scene))).toEqual([
      'user: first',
      'user: This thread was compacted: its earlier p…',
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: second',
    ]);
  });

  test('is made by the new model where its window is no smaller [CTX-14]', async () => {
    await using scene = await createScene({
      ...options,
      steps: [respond(text('One.'), { usage: FULL })],
      rules: answersAll(),
    });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second', { overrides: { model: OTHER_MODEL } });

    expect(scene.requests.map((request) => request.body['model'])).toEqual(['gpt-5.2-codex', OTHER_MODEL, OTHER_MODEL]);
  });
});

describe('a compaction that was asked for', () => {
  test('leaves context right before the new input, the model switch first [CTX-15]', async () => {
    await using scene = await createScene({
      ...LOCAL,
      steps: [
        respond(text('One.')),
        respond(text('Two.')),
        respond(text('The summary.')),
        respond(text('Three.')),
        respond(text('Four.')),
      ],
    });
    await scene.write('AGENTS.md', 'Use tabs.\n');
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second');
    const lineCount = (await linesOf(thread)).length;
    await thread.compact();
    expect(kindsOf((await linesOf(thread)).slice(lineCount))).toEqual([
      'task_started',
      'compacted',
      'token_count',
      'context_compacted',
      'task_complete',
    ]);
    await thread.run('third', { overrides: { model: OTHER_MODEL } });
    await thread.run('fourth');

    expect(scene.show(scene.requests.slice(2), ['summary', 'third turn', 'fourth turn'])).toMatchInlineSnapshot(`
      "## summary
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: none
      0 message developer: <permissions instructions>
      1 message user: # AGENTS.md instructions <environment_context>
      2 message user: first
      3 message assistant: One.
      4 message user: second
      5 message assistant: Two.
      6 message user:
          - The context window is almost full. Everything above will be removed except for the user's own messages, and whoever goes[… 575 characters …]asantries, long quotations of files, and anything that no longer matters. Do not invent: where you are not sure, say so.

      ## third turn
      http, model gpt-5.1-codex-max
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      0 message user: first
      1 message user: second
      2 message user:
          - This thread was compacted: its earlier part is gone and stands below as a summary made for you. Go on with the work from there; what the summary says is done needs no second time.
            The summary.
      3 message developer: <model_switch> <permissions instructions>
      4 message user: # AGENTS.md instructions <environment_context>
      5 message user: third

      ## fourth turn
      http, model gpt-5.1-codex-max
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      . 6 item(s) as before
      6 message assistant: Three.
      7 message user: fourth"
    `);
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 3), requestAt(scene, /* index */ 4)) })).toEqual([
      'assistant: Three.',
      'user: fourth',
    ]);
  });

  test('of a compacted thread takes the earlier summary for no user message [CTX-16]', async () => {
    await using scene = await createScene({
      ...LOCAL,
      steps: [
        respond(text('One.')),
        respond(text('Summary A.')),
        respond(text('Two.')),
        respond(text('Summary B.')),
        respond(text('Three.')),
      ],
    });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.compact();
    await thread.run('second');
    await thread.compact();
    await thread.run('third');

    const last = lastRequest(scene);
    expect(outlineOf(last)).toEqual([
      'user: first',
      'user: second',
      'user: This thread was compacted: its earlier p…',
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: third',
    ]);
    expect(textsOf(last.input[2])[0]).toContain('Summary B.');
  });

  test('right after another one frees nothing, says so, and changes nothing, also over a resume [CTX-16]', async () => {
    await using scene = await createScene({ ...LOCAL, rules: answersAll() });
    const thread = await scene.start();
    await thread.run('first');
    await thread.compact();
    const lines = kindsOf(await linesOf(thread));
    await expect(thread.compact()).rejects.toThrow('It is unchanged.');
    expect(kindsOf(await linesOf(thread))).toEqual([...lines, 'task_started', 'task_complete']);
    await thread.close();
    await using again = await scene.resume(thread);
    await again.run('second');

    expect(outlineOf(lastRequest(scene))).toEqual([
      'user: first',
      'user: This thread was compacted: its earlier p…',
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: second',
    ]);
  });

  test('of a thread without turns is refused and leaves it usable [CTX-15]', async () => {
    await using scene = await createScene({ ...LOCAL, rules: answersAll() });
    await using thread = await scene.start();
    await expect(thread.compact()).rejects.toThrow('nothing to compact');
    expect((await thread.run('first')).finalResponse).toBe('Answer 0.');
  });

  test('of a thread that holds only a command of a person leaves summary, context, input [CTX-15]', async () => {
    // The first request of this thread is the compaction, which has no tools to compare with.
    await using scene = await createScene({ ...LOCAL, rules: answersAll(), allowRewrite: () => true });
    await using thread = await scene.start();
    await thread.runShell('seq 1 500');
    await thread.compact();
    await thread.run('first');

    expect(outlineOf(lastRequest(scene))).toEqual([
      'user: This thread was compacted: its earlier p…',
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: first',
    ]);
  });

  test('cuts an over-long message in the middle, drops older ones and keeps the newest [CTX-17]', async () => {
    await using scene = await createScene({ ...LOCAL, rules: answersAll() });
    await using thread = await scene.start();
    await thread.run('the oldest');
    await thread.run(`START ${'x'.repeat(100_000)} END`);
    await thread.run('the newest');
    await thread.compact();
    await thread.run('next');

    const { input } = lastRequest(scene);
    const [long = ''] = textsOf(input[0]);
    expect(outlineOf({ input: input.slice(1) })).toEqual([
      'user: the newest',
      'user: This thread was compacted: its earlier p…',
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: next',
    ]);
    expect(long).toMatch(/^START x+…\d+ tokens truncated…x+ END$/);
    expect(long.length / 4).toBeLessThanOrEqual(20_000 + 10);
    expect(long.length / 4).toBeGreaterThan(19_900);
  });

  test('that does not fit drops one oldest pair an attempt and tells how many items [CTX-18]', async () => {
    await using scene = await createScene({
      ...LOCAL,
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'echo hi' })),
        respond(text('One.')),
        ...Array.from({ length: 4 }, () => TOO_LONG),
        respond(text('The summary.')),
        respond(text('Two.')),
      ],
    });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    const warnings: string[] = [];
    await thread.runPushed(
      { task: 'compact' },
      {
        onEvent: (event) => {
          if (event.kind === 'warning') warnings.push(event.message);
        },
      },
    );
    await thread.run('second');

    expect(scene.requests.slice(2, 7).map((request) => outlineOf({ input: request.input.slice(0, -1) }))).toEqual([
      [
        'developer: <permissions instructions>',
        'user: <environment_context>',
        'user: first',
        'function_call call-1',
        'function_call_output call-1',
        'assistant: One.',
      ],
      [
        'user: <environment_context>',
        'user: first',
        'function_call call-1',
        'function_call_output call-1',
        'assistant: One.',
      ],
      ['user: first', 'function_call call-1', 'function_call_output call-1', 'assistant: One.'],
      ['function_call call-1', 'function_call_output call-1', 'assistant: One.'],
      ['assistant: One.'],
    ]);
    expect(warnings.join('\n')).toContain('5 oldest items');
  });
});

describe('a compaction inside a turn', () => {
  test('leaves context right before the last user message and the summary last; no new message follows [CTX-19]', async () => {
    await using scene = await createScene({
      ...LOCAL,
      config: ['compaction.ledger=false', LIMIT],
      steps: [
        respond(text('One.')),
        respond(
          reasoning('Hm.', { encrypted: 'c2VjcmV0' }),
          functionCall('call-1', 'shell_command', { command: 'printf %04000d 1' }),
          { usage: FULL },
        ),
        respond(text('The summary.')),
        respond(text('Two.')),
        respond(text('Three.')),
      ],
    });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.run('second');
    await thread.run('third');

    expect(scene.show(scene.requests.slice(2), ['summary', 'the turn goes on', 'third turn'])).toMatchInlineSnapshot(`
      "## summary
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: none
      0 message developer: <permissions instructions>
      1 message user: <environment_context>
      2 message user: first
      3 message assistant: One.
      4 message user: second
      5 reasoning:
          - Hm.
          - (encrypted)
      6 function_call shell_command call 1: {"command":"printf %04000d 1"}
      7 function_call_output call 1:
          - Exit code: 0
            Wall time: <duration>
            Output:
            <hash 1>
      8 message user:
          - The context window is almost full. Everything above will be removed except for the user's own messages, and whoever goes[… 575 characters …]asantries, long quotations of files, and anything that no longer matters. Do not invent: where you are not sure, say so.

      ## the turn goes on
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      0 message user: first
      1 message developer: <permissions instructions>
      2 message user: <environment_context>
      3 message user: second
      4 message user:
          - This thread was compacted: its earlier part is gone and stands below as a summary made for you. Go on with the work from there; what the summary says is done needs no second time.
            The summary.

      ## third turn
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      . 5 item(s) as before
      5 message assistant: Two.
      6 message user: third"
    `);
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 3), requestAt(scene, /* index */ 4)) })).toEqual([
      'assistant: Two.',
      'user: third',
    ]);
    expect(kindsOf(await linesOf(thread)).filter((kind) => kind === 'turn_context' || kind === 'compacted')).toEqual([
      'turn_context',
      'turn_context',
      'compacted',
      'turn_context',
      'turn_context',
    ]);
  });

  test('gives back the ledger of the work right before the summary [CTX-20]', async () => {
    await using scene = await createScene({
      expectLocalCompactions: true,
      config: [LIMIT],
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'cat notes.txt' }), { usage: FULL }),
        respond(text('The summary.')),
        respond(text('Done.')),
      ],
    });
    await scene.write('notes.txt', 'hello\n'.repeat(500));
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('read the notes');

    const { input } = lastRequest(scene);
    expect(outlineOf({ input })).toEqual([
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: read the notes',
      'user: <additional_context>',
      'user: This thread was compacted: its earlier p…',
    ]);
    expect(textsOf(input[3])[0]).toContain('notes.txt');
  });

  test('is followed by a steering message only after the model was heard [CTX-19]', async () => {
    await using scene = await createScene({
      ...LOCAL,
      config: ['compaction.ledger=false', LIMIT],
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'printf %04000d 1' }), { usage: FULL }),
        respond(text('The summary.')),
        respond(text('Two.')),
        respond(text('Three.')),
      ],
    });
    await using thread = await scene.start(FULL_ACCESS);
    const running = thread.run('first');
    thread.steer('and this');
    await running;

    expect(outlineOf(requestAt(scene, /* index */ 2)).slice(-2)).toEqual([
      'user: first',
      'user: This thread was compacted: its earlier p…',
    ]);
    expect(outlineOf(requestAt(scene, /* index */ 3)).slice(-2)).toEqual(['assistant: Two.', 'user: and this']);
  });
});

describe('encrypted reasoning before the last user message', () => {
  // 40,000 characters hold 30,000 bytes, less 650: 7,338 tokens beside the 15,000 that the server counted.
  const answer = (headers: Readonly<Record<string, string>>) =>
    respond(reasoning('Hm.', { encrypted: 'A'.repeat(40_000) }), text('One.'), {
      usage: { inputTokens: 15_000 },
      headers,
    });

  test.each([
    ['counts towards the limit', {}, 4],
    ['does not count when the server says that it did', { 'x-reasoning-included': 'true' }, 3],
  ] as const)('%s [CTX-21]', async (_, headers, requestCount) => {
    await using scene = await createScene({
      ...LOCAL,
      config: ['compaction.ledger=false', LIMIT],
      steps: [answer(headers), respond(text('Two.'), { usage: { inputTokens: 15_000 }, headers })],
      rules: answersAll(),
    });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second');
    await thread.run('third');

    expect(scene.requests.length).toBe(requestCount);
  });
});
