import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TurnOverrides } from '@quire/agent';
import { DEFAULT_MODEL, findModel } from '@quire/core';
import type { JsonObject, ThreadEvent } from '@quire/protocol';
import { functionCall, respond, text } from '@quire/simulator';
import { loadConfig } from '@quire/store';
import { describe, expect, test } from 'vitest';
import { resolveThreadSettings } from '../../src/thread-settings.ts';
import { createWorkspace } from '../workspace.ts';
import { createLoginScene, listFile, model } from './login-scene.ts';

const MODELS = [
  model('plain', { priority: 0 }),
  model('able', {
    support_verbosity: true,
    default_verbosity: 'low',
    default_reasoning_summary: 'detailed',
    default_reasoning_level: 'low',
    service_tiers: [{ id: 'priority', name: 'Fast', description: '' }],
  }),
  model('thoughtless', { supports_reasoning_summaries: false, service_tiers: [], input_modalities: ['text'] }),
];

/** What the requests of turns said, as far as it is chosen, and what people were told. */
async function play(
  config: readonly string[],
  turns: readonly (TurnOverrides & { readonly image?: string })[],
): Promise<{ readonly sent: readonly JsonObject[]; readonly told: readonly string[] }> {
  await using file = await listFile(MODELS);
  await using scene = await createLoginScene({ config: [file.setting, ...config], textOnlyModels: ['thoughtless'] });
  await using thread = await scene.start();
  const told: string[] = [...thread.facts.warnings];
  const onEvent = (event: ThreadEvent): void => {
    if (event.kind === 'warning') told.push(event.message);
  };
  for (const { image, ...overrides } of turns) {
    const picture = image === undefined ? [] : [{ kind: 'image', url: image } as const];
    await thread.runPushed([{ kind: 'text', text: 'hi' }, ...picture], { overrides, onEvent });
  }
  const sent = scene.simulator.requests.map(({ body }) => ({
    model: body['model'] ?? null,
    reasoning: body['reasoning'] ?? null,
    ...(body['text'] === undefined ? {} : { text: body['text'] }),
    ...(body['service_tier'] === undefined ? {} : { tier: body['service_tier'] }),
  }));
  return { sent, told };
}

const PLAIN = { model: 'plain', reasoning: { effort: 'medium', summary: 'auto' } };
const ABLE = { model: 'able', reasoning: { effort: 'low', summary: 'detailed' }, text: { verbosity: 'low' } };

describe('a turn', () => {
  test.each<[string, readonly string[], readonly TurnOverrides[], readonly object[], readonly string[]]>([
    ['without choices goes by its model', [], [{}, { model: 'able' }, {}], [PLAIN, ABLE, ABLE], []],
    [
      'takes what is configured',
      ['model=able', 'model_reasoning_effort="medium"', 'model_reasoning_summary="none"', 'model_verbosity="high"'],
      [{}, { model: 'plain' }],
      [
        { model: 'able', reasoning: { effort: 'medium' }, text: { verbosity: 'high' } },
        { model: 'plain', reasoning: { effort: 'medium' } },
      ],
      ['plain takes no verbosity; high is left out.'],
    ],
    [
      'has its own choices first, and they hold on, but not the effort for another model',
      ['model_reasoning_effort="medium"'],
      [{ model: 'able', reasoningEffort: 'low', reasoningSummary: 'concise' }, {}, { model: 'plain' }],
      [
        { ...ABLE, reasoning: { effort: 'low', summary: 'concise' } },
        { ...ABLE, reasoning: { effort: 'low', summary: 'concise' } },
        { model: 'plain', reasoning: { effort: 'medium', summary: 'concise' } },
      ],
      [],
    ],
    [
      'sends an effort that its model does not list, and says so once',
      ['model_reasoning_effort="high"'],
      [{}, {}],
      Array(2).fill({ model: 'plain', reasoning: { effort: 'high', summary: 'auto' } }),
      ['plain does not list the reasoning effort high, which is sent as it was chosen; it lists low, medium.'],
    ],
    [
      'has no reasoning with a model that has none',
      ['model=thoughtless', 'model_reasoning_effort="low"'],
      [{}],
      [{ model: 'thoughtless', reasoning: null }],
      ['thoughtless takes no reasoning effort; low is left out.'],
    ],
    [
      'plans with the effort for plans',
      ['plan_mode_reasoning_effort="low"', 'model_reasoning_effort="medium"'],
      [
        {},
        { collaborationMode: { mode: 'plan' } },
        { reasoningEffort: 'medium' },
        { model: 'plain' },
        { collaborationMode: { mode: 'default' } },
      ],
      ['medium', 'low', 'medium', 'low', 'medium'].map((effort) => ({
        model: 'plain',
        reasoning: { effort, summary: 'auto' },
      })),
      [],
    ],
    [
      'is fast where the model is, unless it says otherwise',
      ['model=able', 'service_tier="fast"'],
      [{}, { serviceTier: null }, {}, { serviceTier: 'flex' }, { serviceTier: 'fast', model: 'thoughtless' }],
      [{ ...ABLE, tier: 'priority' }, ABLE, ABLE, { ...ABLE, tier: 'flex' }, { model: 'thoughtless', reasoning: null }],
      ['thoughtless is not known to offer the service tier fast, so it is left out.'],
    ],
    [
      'is not fast without Fast mode',
      ['service_tier="fast"', 'features.fast_mode=false'],
      [{}],
      [PLAIN],
      ['The service tier fast is left out: the feature fast_mode is off.'],
    ],
  ])('%s [MODEL-49] [MODEL-50]', async (_name, config, turns, sent, told) => {
    expect(await play(config, turns)).toEqual({ sent, told });
  });

  test('with pictures for a model that sees none says so [MODEL-34]', async () => {
    const { told } = await play(['model=thoughtless'], [{ image: 'data:image/png;base64,AAAA' }]);

    expect(told).toEqual([
      'thoughtless takes no images: it is told that there are some, and sees none. Choose another model to have them seen.',
    ]);
  });
});

describe('the web search of a turn', () => {
  const searchOf = (body: JsonObject): unknown =>
    (body['tools'] as readonly JsonObject[]).find(({ type }) => type === 'web_search')?.['external_web_access'];

  test.each([
    ['follows its sandbox', undefined, [false, true, false]],
    ['is the chosen one', 'live', [true, true, true]],
    ['is none when that was chosen', 'disabled', [undefined, undefined, undefined]],
  ] as const)('%s [MODEL-50]', async (_name, chosen, searches) => {
    const seen: unknown[] = [];
    for (const sandboxMode of ['read-only', 'danger-full-access', 'workspace-write'] as const) {
      await using scene = await createLoginScene({
        login: 'api-key',
        config: chosen === undefined ? [] : [`web_search="${chosen}"`],
      });
      await using thread = await scene.start({ sandboxMode });
      await thread.run('hi');
      seen.push(searchOf(scene.simulator.requests[0]?.body ?? {}));
    }

    expect(seen).toEqual(searches);
  });

  test.each([
    ['["cached"]', ['cached', 'cached', 'cached']],
    ['["live"]', ['live', 'live', 'live']],
    ['[]', ['disabled', 'disabled', 'disabled']],
  ])('is what requirements leave that allow %s [MODEL-35] [MODEL-50]', async (allowed, modes) => {
    await using workspace = await createWorkspace();
    const { home, repository: cwd } = workspace;
    await writeFile(join(home, 'requirements.toml'), `allowed_web_search_modes = ${allowed}\n`);
    const config = await loadConfig({ home, cwd, environment: {}, overrides: [], systemFolder: home });
    const environment = {
      shellName: 'bash',
      currentDate: undefined,
      timezone: undefined,
      git: undefined,
      otherWorkspaces: [],
    };
    const resolved = (['read-only', 'danger-full-access', 'workspace-write'] as const).map(
      (sandboxMode) =>
        resolveThreadSettings(
          config,
          { sandboxMode },
          {
            place: { cwd, environment, projectInstructions: undefined },
            models: { choose: () => DEFAULT_MODEL, describe: findModel },
            processEnvironment: {},
            storedInstructions: undefined,
            storedContext: undefined,
          },
        ).webSearchMode,
    );

    expect(resolved).toEqual(modes);
  });
});

test('window and limits follow the model of a turn [MODEL-51]', async () => {
  await using file = await listFile([
    model('wide', { context_window: 400_000, priority: 0 }),
    model('narrow', { context_window: 100_000, shell_type: 'unified_exec' }),
  ]);
  await using scene = await createLoginScene({
    config: [file.setting],
    steps: [
      respond(text('One.'), { usage: { inputTokens: 50_000 } }),
      respond(functionCall('call-1', 'exec_command', { cmd: 'true' })),
      respond(text('Two.'), { usage: { inputTokens: 50_000 } }),
    ],
  });
  await using thread = await scene.start();
  await thread.run('one');
  const left = [thread.contextLeftPercent];
  await thread.run('two', { overrides: { model: 'narrow' } });
  left.push(thread.contextLeftPercent);

  expect([scene.models, left]).toEqual([
    ['wide', 'narrow', 'narrow'],
    [90, 54],
  ]);
});
