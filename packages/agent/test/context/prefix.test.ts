import { functionCall, reasoning, respond, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { addedTo, createScene, FULL_ACCESS, outlineOf, requestAt, textsOf } from './scene.ts';

describe('the first request of a thread', () => {
  test('begins with one developer bundle, one contextual user message and the input, in that order [CTX-02]', async () => {
    await using scene = await createScene({
      steps: [respond(text('Hi.'))],
      config: ['developer_instructions="Be brief."'],
    });
    await scene.write('AGENTS.md', 'Use tabs.\n');
    await using thread = await scene.start();

    await thread.run('hello');

    expect(scene.show()).toMatchInlineSnapshot(`
      "## request 0
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      0 message developer: <permissions instructions> Be brief.
      1 message user: # AGENTS.md instructions <environment_context>
      2 message user: hello"
    `);
    expect(textsOf(requestAt(scene, /* index */ 0).input[0])[1]).toBe('Be brief.');
  });
});

describe('the requests of one thread', () => {
  test('share instructions, tools and all earlier items byte for byte; a turn adds its message only [CTX-01] [CTX-03]', async () => {
    await using scene = await createScene({
      steps: [
        respond(
          reasoning('Look first.', { encrypted: 'c2VjcmV0' }),
          functionCall('call-1', 'shell_command', { command: 'echo "ünï → \\u2028 \u2028"' }),
          functionCall('call-2', 'shell_command', { command: 'sleep 0.05; echo slow' }),
        ),
        respond(text('Seen.', { phase: 'final_answer' })),
        respond(text('Two.')),
        respond(text('Three.')),
      ],
    });
    await using thread = await scene.start(FULL_ACCESS);

    await thread.run('one');
    await thread.run('two');
    await thread.run('three');

    expect(
      scene.requests.slice(1).map((next, index) => outlineOf({ input: addedTo(requestAt(scene, index), next) })),
    ).toEqual([
      [
        'reasoning',
        'function_call call-1',
        'function_call call-2',
        'function_call_output call-1',
        'function_call_output call-2',
      ],
      ['assistant: Seen.', 'user: two'],
      ['assistant: Two.', 'user: three'],
    ]);
  });

  test('go on after a resume as if nothing had happened, also with tools that finished out of order [CTX-04]', async () => {
    await using scene = await createScene({
      steps: [
        respond(
          functionCall('call-1', 'shell_command', { command: 'sleep 0.2; echo one' }),
          functionCall('call-2', 'shell_command', { command: 'echo two' }),
        ),
        respond(text('Done.')),
        respond(text('Two.')),
      ],
    });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run('one');
    await thread.close();
    await using again = await scene.resume(thread, FULL_ACCESS);
    await again.run('two');

    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 1), requestAt(scene, /* index */ 2)) })).toEqual([
      'assistant: Done.',
      'user: two',
    ]);
  });
});
