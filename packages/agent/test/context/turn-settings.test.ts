import type { TurnOverrides } from '@quire/agent';
import { describe, expect, test } from 'vitest';
import { addedTo, answersAll, createScene, OTHER_MODEL, outlineOf, requestAt, textsOf } from './scene.ts';

/** Runs a first turn, then one after the other; gives back what each of the later ones added behind the answer. */
async function addedByTurns(
  turns: readonly (TurnOverrides | undefined)[],
  config: readonly string[] = [],
): Promise<readonly (readonly string[])[]> {
  await using scene = await createScene({ rules: answersAll(), config });
  await using thread = await scene.start();
  await scene.write('sub/file.txt', 'x\n');
  await thread.run('first');
  for (const overrides of turns) {
    const here = overrides?.workingDirectory;
    await thread.run(
      'next',
      overrides === undefined
        ? {}
        : {
            overrides:
              here === undefined ? overrides : { ...overrides, workingDirectory: `${scene.repository}/${here}` },
          },
    );
  }
  return turns.map((_, index) =>
    outlineOf({ input: addedTo(requestAt(scene, index), requestAt(scene, index + 1), { mayChangeModel: true }) }).slice(
      1,
    ),
  );
}

describe('a turn that changes', () => {
  test.each([
    ['nothing', {}, []],
    ['the directory', { workingDirectory: 'sub' }, ['user: <environment_context>']],
    ['the approval policy', { approvalPolicy: 'on-request' }, ['developer: <permissions instructions>']],
    ['the sandbox', { sandboxMode: 'workspace-write' }, ['developer: <permissions instructions>']],
    ['the model', { model: OTHER_MODEL }, ['developer: <model_switch>']],
    ['the personality', { personality: 'friendly' }, ['developer: <personality_spec>']],
    ['the effort', { reasoningEffort: 'high' }, []],
    [
      'the collaboration mode',
      { collaborationMode: { mode: 'plan', instructions: 'Plan.' } },
      ['developer: <collaboration_mode>'],
    ],
    ['to a mode without instructions', { collaborationMode: { mode: 'plan' } }, []],
    ['to a mode with empty instructions', { collaborationMode: { mode: 'plan', instructions: '' } }, []],
    [
      'everything',
      {
        workingDirectory: 'sub',
        approvalPolicy: 'untrusted',
        model: OTHER_MODEL,
        collaborationMode: { mode: 'plan', instructions: 'Plan.' },
      },
      ['developer: <model_switch> + <permissions instructions> + <collaboration_mode>', 'user: <environment_context>'],
    ],
  ] as const)(
    '%s tells exactly that, and the turn after it nothing more [CTX-05] [CTX-06] [CTX-07]',
    async (_, overrides, told) => {
      expect(await addedByTurns([overrides, undefined])).toEqual([[...told, 'user: next'], ['user: next']]);
    },
  );

  test('the mode to one without instructions leaves the old instructions in force and tells the next mode [CTX-07]', async () => {
    const added = await addedByTurns([
      { collaborationMode: { mode: 'plan', instructions: 'Plan.' } },
      { collaborationMode: { mode: 'default' } },
      { collaborationMode: { mode: 'plan', instructions: 'Plan.' } },
    ]);

    expect(added).toEqual([
      ['developer: <collaboration_mode>', 'user: next'],
      ['user: next'],
      ['developer: <collaboration_mode>', 'user: next'],
    ]);
  });

  test('the model and back tells both switches [CTX-06]', async () => {
    expect(await addedByTurns([{ model: OTHER_MODEL }, { model: 'gpt-5.2-codex' }])).toEqual([
      ['developer: <model_switch>', 'user: next'],
      ['developer: <model_switch>', 'user: next'],
    ]);
  });

  test('the personality there and back tells each once [CTX-06]', async () => {
    const added = await addedByTurns(
      [{ personality: 'none' }, { personality: 'pragmatic' }, undefined],
      ['personality="friendly"'],
    );

    expect(added).toEqual([
      ['developer: <personality_spec>', 'user: next'],
      ['developer: <personality_spec>', 'user: next'],
      ['user: next'],
    ]);
  });

  test('only the directory leaves out what else the environment holds of the old one [CTX-05]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await using thread = await scene.start();
    await thread.run('first');
    await scene.write('sub/file.txt', 'x\n');
    await thread.run('next', { overrides: { workingDirectory: `${scene.repository}/sub` } });

    const [environment = ''] = textsOf(requestAt(scene, /* index */ 1).input.at(-2));
    expect(environment).toContain(`<cwd>${scene.repository}/sub</cwd>`);
    expect(environment).not.toContain('workspace_configuration');
  });

  test('the model of a resumed thread is told, and the base instructions stay [CTX-06] [CTX-24]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const thread = await scene.start();
    await thread.run('first');
    await thread.close();
    await using again = await scene.resume(thread, { model: OTHER_MODEL });
    await again.run('next');

    expect(
      outlineOf({
        input: addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 1), { mayChangeModel: true }),
      }),
    ).toEqual(['assistant: Answer 0.', 'developer: <model_switch>', 'user: next']);
    expect(again.facts.warnings.join('\n')).toContain(OTHER_MODEL);
  });
});
