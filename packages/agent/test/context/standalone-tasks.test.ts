import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentThread } from '@quire/agent';
import { functionCall, type RecordedRequest, rehearse, respond, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  addedTo,
  createScene,
  FULL_ACCESS,
  git,
  kindsOf,
  lastRequest,
  linesOf,
  OTHER_MODEL,
  outlineOf,
  requestAt,
  type Scene,
} from './scene.ts';

const UNDO = ['features.undo=true'];
const REVIEW = { kind: 'custom', instructions: 'Is file.txt fine?' } as const;
const REVIEWED = '{"findings":[],"overall_correctness":"patch is correct","overall_explanation":"All well."}';
const isReview = (request: RecordedRequest): boolean =>
  JSON.stringify(request.input).includes('Is file.txt fine?') && request.input.length < 4;

/** A first turn writes a file, so that there is something to undo. */
async function withFirstTurn(work: (scene: Scene, thread: AgentThread) => Promise<void>): Promise<void> {
  await using scene = await createScene({
    config: UNDO,
    expectLocalCompactions: true,
    steps: [
      respond(functionCall('call-1', 'shell_command', { command: 'echo new > file.txt' })),
      respond(text('Written.')),
    ],
    rules: rehearse((request) => respond(text(isReview(request) ? REVIEWED : `Answer ${request.index}.`))),
  });
  await scene.write('file.txt', 'old\n');
  git(scene.repository, 'add', '.');
  git(scene.repository, 'commit', '--quiet', '-m', 'first');
  await using thread = await scene.start(FULL_ACCESS);
  await thread.run('first');
  await work(scene, thread);
}

const TASKS = [
  ['a shell command', (thread: AgentThread) => thread.runShell('echo hi'), ['user: <user_shell_command>']],
  ['an undo', (thread: AgentThread) => thread.undo(), []],
  ['a review', (thread: AgentThread) => thread.review(REVIEW), ['user: <user_action>', 'assistant: All well.']],
] as const;

describe('between two turns', () => {
  test.each(TASKS)('%s tells the model what it has to know and no settings [CTX-08]', async (_, task, told) => {
    await withFirstTurn(async (scene, thread) => {
      const before = requestAt(scene, /* index */ 1);
      const lineCount = (await linesOf(thread)).length;
      await task(thread);
      expect(kindsOf((await linesOf(thread)).slice(lineCount))).not.toContain('turn_context');
      await thread.run('next');

      expect(outlineOf({ input: addedTo(before, lastRequest(scene)) })).toEqual([
        'assistant: Written.',
        ...told,
        'user: next',
      ]);
    });
  });

  test.each(TASKS)('%s does not suppress the switch to another model [CTX-08]', async (_, task, told) => {
    await withFirstTurn(async (scene, thread) => {
      const before = requestAt(scene, /* index */ 1);
      await task(thread);
      await thread.run('next', { overrides: { model: OTHER_MODEL } });

      expect(outlineOf({ input: addedTo(before, lastRequest(scene), { mayChangeModel: true }) })).toEqual([
        'assistant: Written.',
        ...told,
        'developer: <model_switch>',
        'user: next',
      ]);
    });
  });

  test('an undo puts files back and leaves index and refs of the user alone [CTX-09]', async () => {
    await withFirstTurn(async (scene, thread) => {
      const state = (): readonly string[] => [
        git(scene.repository, 'for-each-ref'),
        git(scene.repository, 'diff', '--cached'),
        git(scene.repository, 'rev-parse', 'HEAD'),
      ];
      const before = state();
      await thread.undo();

      expect(await readFile(join(scene.repository, 'file.txt'), 'utf8')).toBe('old\n');
      expect(state()).toEqual(before);
      await expect(thread.undo()).rejects.toMatchObject({
        failure: { message: expect.stringContaining('nothing to undo') },
      });
    });
  });

  test('an undo finds its way back over a compaction and a resume, once [CTX-09]', async () => {
    await withFirstTurn(async (scene, thread) => {
      await thread.runShell('printf %09000d 1');
      await thread.run('next');
      await thread.compact();
      await thread.close();
      const again = await scene.resume(thread, FULL_ACCESS);
      await again.run('after the compaction');
      await again.undo();
      await again.close();

      expect(await readFile(join(scene.repository, 'file.txt'), 'utf8')).toBe('old\n');
      const last = await scene.resume(thread, FULL_ACCESS);
      await expect(last.undo()).rejects.toMatchObject({
        failure: { message: expect.stringContaining('nothing to undo') },
      });
      await last.close();
    });
  });

  test('two reviews leave a history that the API takes [CTX-10]', async () => {
    await withFirstTurn(async (scene, thread) => {
      await thread.review(REVIEW);
      await thread.run('next');
      await thread.review(REVIEW);
      await thread.run('last');

      expect(outlineOf(lastRequest(scene)).slice(-5)).toEqual([
        'user: next',
        'assistant: Answer 3.',
        'user: <user_action>',
        'assistant: All well.',
        'user: last',
      ]);
    });
  });

  test('a review has a history of its own, without project documents [CTX-11]', async () => {
    await withFirstTurn(async (scene, thread) => {
      await scene.write('AGENTS.md', 'Use tabs.\n');
      await thread.review(REVIEW);

      expect(scene.show([lastRequest(scene)], ['review'])).toMatchInlineSnapshot(`
        "## review
        http, model gpt-5.2-codex
        instructions: text 1, "You review a change somebody made to a code base. You do not change anything: you read, and you report."
        tools: shell_command, update_plan, apply_patch, view_image
        0 message developer: <permissions instructions>
        1 message user: <environment_context>
        2 message user: Is file.txt fine?"
      `);
    });
  });
});
