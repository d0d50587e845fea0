import { respond, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  addedTo,
  answersAll,
  createScene,
  kindsOf,
  lastRequest,
  linesOf,
  OTHER_MODEL,
  outlineOf,
  requestAt,
} from './scene.ts';

describe('a rollback', () => {
  test('takes the last turn out of the requests and leaves the file as it was, with one more line [CTX-31]', async () => {
    await using scene = await createScene({ rules: answersAll(), allowRewrite: ({ index }) => index === 1 });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second');
    const before = await linesOf(thread);
    await thread.rollBack(/* turns */ 1);
    const after = await linesOf(thread);
    await thread.run('third');

    expect(after.slice(0, -1)).toEqual(before);
    expect(after.at(-1)).toMatchObject({ type: 'event_msg', payload: { type: 'thread_rolled_back', num_turns: 1 } });
    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 2)) })).toEqual([
      'assistant: Answer 0.',
      'user: third',
    ]);
  });

  test('of a turn that changed settings tells the change again [CTX-31]', async () => {
    await using scene = await createScene({ rules: answersAll(), allowRewrite: ({ index }) => index === 1 });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second', { overrides: { model: OTHER_MODEL, approvalPolicy: 'on-request' } });
    await thread.rollBack(/* turns */ 1);
    await thread.run('third');

    expect(
      outlineOf({
        input: addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 2), { mayChangeModel: true }),
      }),
    ).toEqual(['assistant: Answer 0.', 'developer: <model_switch> + <permissions instructions>', 'user: third']);
  });

  test('over a developer message with plain text leads to the whole context again [CTX-32]', async () => {
    // After a compaction the whole context, plain text in it, stands before a turn that can be taken back.
    await using scene = await createScene({
      config: ['developer_instructions="Be brief."', 'compaction.ledger=false'],
      expectLocalCompactions: true,
      rules: answersAll(),
      allowRewrite: ({ index }) => index >= 3,
    });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second');
    await thread.compact();
    await thread.run('third');
    await thread.rollBack(/* turns */ 1);
    await thread.run('fourth');

    expect(scene.show([lastRequest(scene)], ['fourth turn'])).toMatchInlineSnapshot(`
      "## fourth turn
      http, model gpt-5.2-codex
      instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
      tools: shell_command, update_plan, apply_patch, view_image
      0 message user: first
      1 message user: second
      2 message user:
          - This thread was compacted: its earlier part is gone and stands below as a summary made for you. Go on with the work from there; what the summary says is done needs no second time.
            Answer 2.
      3 message developer: <permissions instructions> Be brief.
      4 message user: <environment_context>
      5 message user: fourth"
    `);
    expect(kindsOf(await linesOf(thread))).toContain('thread_rolled_back');
  });

  test('of all turns keeps what was told before the first, once [CTX-33]', async () => {
    await using scene = await createScene({ rules: answersAll(), allowRewrite: () => true });
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second');
    await thread.rollBack(/* turns */ 2);
    await thread.run('third');

    expect(outlineOf(lastRequest(scene))).toEqual([
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: third',
    ]);
  });

  test('of more turns than there are is refused, and changes nothing [CTX-33]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await using thread = await scene.start();
    await thread.run('first');
    const before = await linesOf(thread);
    await expect(thread.rollBack(/* turns */ 2)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await linesOf(thread)).toEqual(before);
    await thread.run('second');

    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 1)) })).toEqual([
      'assistant: Answer 0.',
      'user: second',
    ]);
  });

  test('is refused where there is no turn, and for a number that is none [CTX-33]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await using thread = await scene.start();

    await expect(thread.rollBack(/* turns */ 1)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(thread.rollBack(/* turns */ 0)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(thread.rollBack(/* turns */ 1.5)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect((await thread.run('first')).finalResponse).toBe('Answer 0.');
  });

  test('is refused while a turn runs [CTX-33]', async () => {
    await using scene = await createScene({ steps: [respond(text('One.'))] });
    await using thread = await scene.start();
    const running = thread.run('first');
    await expect(thread.rollBack(/* turns */ 1)).rejects.toMatchObject({ code: 'busy' });
    await running;
  });

  test('of a turn that filled the window leaves room for the next one, also over a resume [CTX-55]', async () => {
    await using scene = await createScene({
      config: ['model_auto_compact_token_limit=20000'],
      expectLocalCompactions: true,
      steps: [respond(text('One.')), respond(text('Two.'), { usage: { inputTokens: 50_000 } })],
      rules: answersAll(),
      allowRewrite: () => true,
    });
    const thread = await scene.start();
    await thread.run('first');
    await thread.run('second');
    await thread.rollBack(/* turns */ 1);
    const left = thread.contextLeftPercent;
    await thread.close();
    await using again = await scene.resume(thread);
    await again.run('third');

    expect(outlineOf(lastRequest(scene)).slice(2)).toEqual(['user: first', 'assistant: One.', 'user: third']);
    expect(left).toBe(100);
  });

  test('in a thread that keeps nothing on disk is the same as in one that does [CTX-56]', async () => {
    const outlines: (readonly string[])[] = [];
    for (const ephemeral of [false, true]) {
      await using scene = await createScene({ rules: answersAll(), allowRewrite: () => true });
      await using thread = await scene.start({ ephemeral });
      await thread.run('first');
      await thread.run('second', { overrides: { model: OTHER_MODEL, approvalPolicy: 'on-request' } });
      await thread.rollBack(/* turns */ 1);
      await thread.run('third', { overrides: { model: 'gpt-5.2-codex', approvalPolicy: 'never' } });
      outlines.push(outlineOf(lastRequest(scene)).slice(2));
    }

    expect(outlines[0]).toEqual(['user: first', 'assistant: Answer 0.', 'user: third']);
    expect(outlines[1]).toEqual(outlines[0]);
  });
});
