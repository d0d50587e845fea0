import { readFile } from 'node:fs/promises';
import type { JsonObject } from '@quire/protocol';
import {
  cutAfterEvents,
  functionCall,
  missingCompletion,
  reasoning,
  refuseItems,
  respond,
  status,
  text,
} from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  addedTo,
  answersAll,
  createScene,
  FULL_ACCESS,
  kindsOf,
  lastRequest,
  linesOf,
  outlineOf,
  requestAt,
} from './scene.ts';

describe('an interrupt while two tools run', () => {
  test('leaves both outputs in call order and the marker after them; on disk the end of the turn is last [CTX-27]', async () => {
    await using scene = await createScene({
      steps: [
        respond(
          functionCall('call-1', 'shell_command', { command: 'echo begun; sleep 30' }),
          functionCall('call-2', 'shell_command', { command: 'sleep 30' }),
        ),
      ],
      rules: answersAll(),
    });
    await using thread = await scene.start(FULL_ACCESS);
    const stop = new AbortController();
    let started = 0;
    await thread.runPushed('first', {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind !== 'item-start' || event.item.kind !== 'command-execution') return;
        started += 1;
        if (started === 2) setImmediate(() => stop.abort(new Error('enough')));
      },
    });
    const kinds = kindsOf(await linesOf(thread));
    await thread.run('second');

    expect(scene.show(scene.requests, ['first turn', 'second turn'])).toMatchInlineSnapshot(`
      "## first turn
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      0 message developer: <permissions instructions>
      1 message user: <environment_context>
      2 message user: first

      ## second turn
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      . 3 item(s) as before
      3 function_call shell_command call 1: {"command":"echo begun; sleep 30"}
      4 function_call shell_command call 2: {"command":"sleep 30"}
      5 function_call_output call 1:
          - Wall time: <duration>
            aborted by user
      6 function_call_output call 2:
          - Wall time: <duration>
            aborted by user
      7 message user: <turn_aborted>
      8 message user: second"
    `);
    expect(kinds.filter((kind) => kind !== 'token_count').slice(-6)).toEqual([
      'function_call',
      'function_call',
      'function_call_output',
      'function_call_output',
      'message',
      'turn_aborted',
    ]);
    expect(kinds).not.toContain('task_complete');
  });
});

describe('a broken stream', () => {
  const PIECES = [
    reasoning('Hm.', { encrypted: 'c2VjcmV0', id: 'rs-1' }),
    text('I look.', { id: 'msg-1' }),
    functionCall('call-1', 'shell_command', { command: 'echo once >> count.txt' }, { id: 'fc-1' }),
  ] as const;

  test.each([
    ['ends early', missingCompletion(respond(...PIECES))],
    ['is cut off behind a call', cutAfterEvents(/* eventCount */ 12, respond(...PIECES))],
    ['is cut off inside a message', cutAfterEvents(/* eventCount */ 8, respond(...PIECES))],
  ])('that %s is asked for again with what was complete, each item once [CTX-28]', async (_, broken) => {
    await using scene = await createScene({
      steps: [broken, respond(...PIECES), respond(text('Done.'))],
      rules: answersAll(),
    });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.run('second');

    const last = lastRequest(scene);
    expect(outlineOf(last).slice(2)).toEqual([
      'user: first',
      'reasoning',
      'assistant: I look.',
      'function_call call-1',
      'function_call_output call-1',
      'assistant: Done.',
      'user: second',
    ]);
    expect(await readFile(`${scene.repository}/count.txt`, 'utf8')).toBe('once\n');
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 1)) })).toContain(
      'reasoning',
    );
  });
});

describe('output over the limit', () => {
  const truncations = (output: string): number => output.match(/tokens truncated|chars truncated/g)?.length ?? 0;

  test.each([
    ['by default', [], 'printf %0200000d 1'],
    ['with a smaller limit', ['tool_output_token_limit=1000'], 'printf %020000d 1'],
    ['with a very small limit', ['tool_output_token_limit=100'], 'printf %02000d 1'],
    ['over many lines', [], 'seq 1 100000'],
  ])('is cut once, also when it is recorded, sent, stored and read again (%s) [CTX-29]', async (_, config, command) => {
    await using scene = await createScene({
      config,
      steps: [respond(functionCall('call-1', 'shell_command', { command })), respond(text('Done.'))],
      rules: answersAll(),
    });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run('first');
    await thread.runShell(command);
    await thread.run('second');
    await thread.close();
    await using again = await scene.resume(thread, FULL_ACCESS);
    await again.run('third');

    const output = String(requestAt(scene, /* index */ 1).toolOutputs[0]?.output);

    expect(JSON.stringify(lastRequest(scene).toolOutputs[0]?.output)).toBe(JSON.stringify(output));
    expect(truncations(output)).toBe(1);
    const shell = JSON.stringify(requestAt(scene, /* index */ 2).input.at(-2));
    expect(shell).toContain('user_shell_command');
    expect(truncations(shell)).toBe(1);
  });
});

describe('an item that the provider refuses', () => {
  const IMAGE = 'data:image/png;base64,iVBORw0KGgoBAD==';

  test('is replaced for good, in the running turn, the ones after it and after a resume [CTX-30] [CORE-39]', async () => {
    await using scene = await createScene({
      refusals: [
        refuseItems(
          (item: JsonObject) => (JSON.stringify(item).includes(IMAGE) ? 'The image data is not valid.' : undefined),
          { form: 'image' },
        ),
      ],
      rules: answersAll(),
    });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run([
      { kind: 'text', text: 'look' },
      { kind: 'image', url: IMAGE },
    ]);
    await thread.run('second');
    await thread.close();
    await using again = await scene.resume(thread, FULL_ACCESS);
    await again.run('third');

    expect(scene.requests.map((request) => JSON.stringify(request.input).includes(IMAGE))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 2), requestAt(scene, /* index */ 3)) })).toEqual([
      'assistant: Answer 2.',
      'user: third',
    ]);
  });

  test('does not cost the history when taking it out does not help [CTX-53]', async () => {
    await using scene = await createScene({
      steps: [
        respond(text('One.')),
        ...Array.from({ length: 3 }, () =>
          status(/* code */ 400, {
            body: { error: { code: 'invalid_value', message: "Invalid value: 'input[2]'.", param: 'input[2]' } },
          }),
        ),
        status(/* code */ 400, { body: { error: { code: 'invalid_prompt', message: 'The request is refused.' } } }),
      ],
      rules: answersAll(),
      allowRewrite: () => true,
    });
    await using thread = await scene.start();
    await thread.run('first');
    await expect(thread.run('second')).rejects.toThrow();
    await thread.run('third');

    expect(outlineOf(lastRequest(scene)).slice(2)).toEqual([
      'user: first',
      'assistant: One.',
      'user: second',
      'user: third',
    ]);
  });
});
