import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentThread } from '@quire/agent';
import { catalogEntry, functionCall, respond, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { answersAll, createScene, outlineOf, requestAt, type Scene, type SceneOptions, textsOf } from './scene.ts';

const MODELS = [
  catalogEntry('gpt-5.2-codex', { priority: 0 }),
  catalogEntry('text-only', { input_modalities: ['text'] }),
  catalogEntry('small', { context_window: 30_000 }),
  catalogEntry('warm', {
    model_messages: {
      instructions_template: 'I am warm. {{ personality }}',
      instructions_variables: {
        personality_default: 'DEFAULT',
        personality_friendly: 'FRIENDLY',
        personality_pragmatic: 'PRAGMATIC',
      },
    },
  }),
];

async function startWith(scene: Scene, config: readonly string[] = []): Promise<AgentThread> {
  const file = join(scene.home, 'models.json');
  await writeFile(file, JSON.stringify({ models: MODELS }));
  return scene.start({ sandboxMode: 'danger-full-access' }, [
    `model_catalog_json=${JSON.stringify(file)}`,
    'model=gpt-5.2-codex',
    ...config,
  ]);
}

const TEXT_ONLY: SceneOptions = { textOnlyModels: ['text-only'], rules: answersAll() };

describe('a model that takes no images', () => {
  test('gets a text in the place of each, and no bytes of any [CTX-58]', async () => {
    await using scene = await createScene(TEXT_ONLY);
    await using thread = await startWith(scene);
    const image = (data: string) => ({ kind: 'image', url: `data:image/png;base64,${data}` }) as const;
    await thread.run([{ kind: 'text', text: 'look' }, image('AAAABBBB'), image('CCCCDDDD')]);
    await thread.run([{ kind: 'text', text: 'and this' }, image('EEEEFFFF')], { overrides: { model: 'text-only' } });

    const body = requestAt(scene, /* index */ 1).rawBody.toString();
    expect(
      requestAt(scene, /* index */ 0)
        .rawBody.toString()
        .match(/input_image/g)?.length,
    ).toBe(2);
    expect(body).not.toMatch(/input_image|base64|AAAABBBB|CCCCDDDD|EEEEFFFF/);
    expect(body.match(/image content omitted because you do not support image input/g)?.length).toBe(3);
  });
});

describe('a model with a smaller window', () => {
  test('gets a history that the previous model compacted, then the switch first in the context [CTX-14]', async () => {
    await using scene = await createScene({
      expectLocalCompactions: true,
      steps: [respond(text('One.'), { usage: { inputTokens: 50_000 } }), respond(text('The summary.'))],
      rules: answersAll(),
    });
    await using thread = await startWith(scene, ['compaction.ledger=false']);
    await thread.run('first');
    await thread.run('second', { overrides: { model: 'small' } });

    expect(scene.requests.map((request) => request.body['model'])).toEqual(['gpt-5.2-codex', 'gpt-5.2-codex', 'small']);
    expect(outlineOf(requestAt(scene, /* index */ 2))).toEqual([
      'user: first',
      'user: This thread was compacted: its earlier p…',
      'developer: <model_switch> + <permissions instructions>',
      'user: <environment_context>',
      'user: second',
    ]);
  });
});

describe('a model with personalities', () => {
  test('has the chosen one in its instructions, is told another one once, and keeps its instructions [CTX-59]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await using thread = await startWith(scene, ['model=warm']);
    await thread.run('first');
    await thread.run('second', { overrides: { personality: 'friendly' } });
    await thread.run('third');

    expect(scene.requests.map((request) => request.body['instructions'])).toEqual(
      Array(3).fill('I am warm. PRAGMATIC'),
    );
    expect(outlineOf(requestAt(scene, /* index */ 2)).slice(2)).toEqual([
      'user: first',
      'assistant: Answer 0.',
      'developer: <personality_spec>',
      'user: second',
      'assistant: Answer 1.',
      'user: third',
    ]);
    expect(textsOf(requestAt(scene, /* index */ 2).input[4])[0]).toContain('FRIENDLY');
  });

  test('that takes over is told its own instructions with the personality that holds [CTX-59]', async () => {
    await using scene = await createScene({
      steps: [respond(functionCall('call-1', 'shell_command', { command: 'echo hi' })), respond(text('Done.'))],
      rules: answersAll(),
    });
    await using thread = await startWith(scene, ['personality="friendly"']);
    await thread.run('first');
    await thread.run('second', { overrides: { model: 'warm' } });

    const added = requestAt(scene, /* index */ 2).input.at(-2);
    expect(textsOf(added)[0]).toMatch(/^<model_switch>\n.*\n\nI am warm\. FRIENDLY\n<\/model_switch>$/);
    expect(textsOf(added).length).toBe(1);
  });
});
