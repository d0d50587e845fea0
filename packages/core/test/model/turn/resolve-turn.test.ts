import type { ModelInfo, Personality, SandboxPolicy } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { findModel } from '../../../src/model/catalog.ts';
import { withOverrides } from '../../../src/model/model-overrides.ts';
import { allowedWebSearchMode } from '../../../src/model/turn/allowed-web-search.ts';
import { allowsOriginalImages, imageNote } from '../../../src/model/turn/images.ts';
import { resolvePersonality } from '../../../src/model/turn/personality.ts';
import { effortNote, nearestEffort, resolveReasoning } from '../../../src/model/turn/reasoning.ts';
import { resolveTurn, type TurnGround } from '../../../src/model/turn/resolve-turn.ts';
import { resolveServiceTier } from '../../../src/model/turn/service-tier.ts';
import { resolveTools } from '../../../src/model/turn/tools.ts';
import { resolveVerbosity } from '../../../src/model/turn/verbosity.ts';
import type { ToolChoices, TurnChoices, WebSearchMode } from '../../../src/thread/settings.ts';

const MODEL = findModel('gpt-5.2-codex');
const GENERAL = findModel('gpt-5.2');
const UNKNOWN = findModel('llama');
const modelWith = (changes: Partial<ModelInfo>): ModelInfo => ({ ...MODEL, ...changes });

describe('reasoning', () => {
  test.each([
    { model: {}, effort: undefined, summary: undefined, reasoning: { effort: 'medium', summary: 'auto' } },
    { model: {}, effort: 'xhigh', summary: 'detailed', reasoning: { effort: 'xhigh', summary: 'detailed' } },
    { model: {}, effort: 'heroic', summary: 'none', reasoning: { effort: 'heroic' } },
    {
      model: { defaultReasoningSummary: 'none' },
      effort: undefined,
      summary: undefined,
      reasoning: { effort: 'medium' },
    },
    {
      model: { defaultReasoningSummary: 'none' },
      effort: undefined,
      summary: 'concise',
      reasoning: { effort: 'medium', summary: 'concise' },
    },
    {
      model: { defaultReasoningEffort: undefined },
      effort: undefined,
      summary: undefined,
      reasoning: { summary: 'auto' },
    },
    { model: { supportsReasoningSummaries: false }, effort: 'high', summary: 'auto', reasoning: undefined },
  ])('of $model with $effort and $summary is $reasoning [MODEL-29]', ({ model, effort, summary, reasoning }) => {
    expect(resolveReasoning(modelWith(model), { effort, summary })).toEqual(reasoning);
  });

  test('with an effort that the model does not list is told of [MODEL-29]', () => {
    const notes = [
      effortNote(MODEL, 'minimal'),
      effortNote(MODEL, 'low'),
      effortNote(MODEL, /* effort */ undefined),
      effortNote(modelWith({ supportedReasoningEfforts: [] }), 'minimal'),
      effortNote(UNKNOWN, 'minimal'),
    ];

    expect(notes).toEqual([
      'gpt-5.2-codex does not list the reasoning effort minimal, which is sent as it was chosen; it lists low, medium, high, xhigh.',
      undefined,
      undefined,
      undefined,
      'llama takes no reasoning effort; minimal is left out.',
    ]);
  });

  test.each([
    ['high', ['low', 'high'], 'high'],
    ['xhigh', ['low', 'high'], 'high'],
    ['medium', ['low', 'high'], 'low'],
    ['medium', ['high', 'low'], 'high'],
    ['none', ['medium', 'minimal'], 'minimal'],
    ['ultra', ['low', 'xhigh'], 'xhigh'],
    ['heroic', ['low', 'high'], 'low'],
    ['high', ['odd'], 'low'],
    ['high', [], 'high'],
  ])('%s on a model with %j becomes %s [MODEL-30]', (effort, efforts, nearest) => {
    const reasoningLevels = efforts.map((word) => ({ effort: word, description: '' }));

    expect(nearestEffort({ reasoningLevels, defaultReasoningEffort: 'low' }, effort)).toBe(nearest);
  });
});

test.each([
  { model: GENERAL, configured: undefined, verbosity: 'low' },
  { model: GENERAL, configured: 'high', verbosity: 'high' },
  { model: MODEL, configured: 'high', verbosity: undefined },
  { model: UNKNOWN, configured: undefined, verbosity: undefined },
])('the verbosity of $model.slug with $configured is $verbosity [MODEL-31]', ({ model, configured, verbosity }) => {
  expect(resolveVerbosity(model, configured)).toBe(verbosity);
});

describe('the service tier', () => {
  const TIERED = modelWith({ serviceTiers: ['priority'] });
  const NONE = modelWith({ serviceTiers: [] });
  const OFF = 'The service tier fast is left out: the feature fast_mode is off.';
  const not = (slug: string, tier: string) =>
    `${slug} is not known to offer the service tier ${tier}, so it is left out.`;

  test.each<[string, ModelInfo, string | null | undefined, string | undefined, boolean, object]>([
    ['nothing chosen', TIERED, undefined, undefined, true, { tier: undefined }],
    ['standard', TIERED, undefined, 'standard', true, { tier: undefined }],
    ['fast', TIERED, undefined, 'fast', true, { tier: 'priority' }],
    ['priority', TIERED, undefined, 'priority', true, { tier: 'priority' }],
    ['fast without Fast mode', TIERED, undefined, 'fast', false, { tier: undefined, note: OFF }],
    ['fast for a turn', TIERED, 'fast', 'flex', true, { tier: 'priority' }],
    ['cleared for a turn', TIERED, null, 'fast', true, { tier: undefined }],
    ['flex, whatever the model', UNKNOWN, undefined, 'flex', false, { tier: 'flex' }],
    ['fast on a model that tells no tiers', MODEL, undefined, 'fast', true, { tier: 'priority' }],
    ['fast on one without', NONE, undefined, 'fast', true, { tier: undefined, note: not(NONE.slug, 'fast') }],
    ['fast on an unknown one', UNKNOWN, undefined, 'fast', true, { tier: undefined, note: not('llama', 'fast') }],
    ['an invented one', TIERED, 'warp', undefined, true, { tier: undefined, note: not(TIERED.slug, 'warp') }],
  ])('for %s [MODEL-32]', (_name, model, turn, configured, fastMode, resolution) => {
    expect(resolveServiceTier(model, { turn, configured, fastMode })).toEqual(resolution);
  });
});

describe('the personality', () => {
  const CHOOSABLE = modelWith({
    modelMessages: {
      instructionsTemplate: '{{ personality }}',
      personalityDefault: '',
      personalityFriendly: 'f',
      personalityPragmatic: 'p',
    },
  });

  test.each<[string, ModelInfo, Partial<TurnChoices['personality']>, Personality | undefined]>([
    ['the default where there are some', CHOOSABLE, {}, 'pragmatic'],
    ['nothing where there are none', MODEL, {}, undefined],
    ['the configured one', CHOOSABLE, { configured: 'friendly', stored: 'none' }, 'friendly'],
    ['the one of the turn', CHOOSABLE, { turn: 'none', configured: 'friendly' }, 'none'],
    ['the one of the thread', MODEL, { stored: 'friendly' }, 'friendly'],
    ['the default for a word that is none', CHOOSABLE, { stored: 'grumpy' }, 'pragmatic'],
    ['nothing without the feature', CHOOSABLE, { feature: false, turn: 'friendly' }, undefined],
  ])('is %s [MODEL-33] [TRAP-13]', (_name, model, choice, personality) => {
    const choices = { feature: true, turn: undefined, configured: undefined, stored: undefined, ...choice };

    expect(resolvePersonality(model, choices)).toBe(personality);
  });
});

describe('images', () => {
  test('for a model that takes none are told of, with its name [MODEL-34]', () => {
    expect([imageNote(MODEL), imageNote(modelWith({ inputModalities: ['text'] }))]).toEqual([
      undefined,
      'gpt-5.2-codex takes no images: it is told that there are some, and sees none. Choose another model to have them seen.',
    ]);
  });

  test.each<[string, boolean, boolean, readonly string[], boolean]>([
    ['gpt-5.2-codex', false, true, ['text', 'image'], false],
    ['gpt-5.2-codex', true, false, ['text', 'image'], true],
    ['gpt-5.3-codex', false, true, ['text', 'image'], true],
    ['gpt-5.3-codex', false, false, ['text', 'image'], false],
    ['gpt-5.10-codex-max', false, true, ['text', 'image'], true],
    ['ns/gpt-6-codex', false, true, ['text', 'image'], true],
    ['gpt-5.3-codexter', false, true, ['text', 'image'], false],
    ['gpt-5.5', false, true, ['text', 'image'], false],
    ['gpt-5.3-codex', true, true, ['text'], false],
  ])(
    'in their own size for %s (model %s, feature %s, %j): %s [MODEL-34]',
    (slug, says, feature, modalities, allowed) => {
      const model = modelWith({ slug, supportsOriginalImages: says, inputModalities: modalities });

      expect(allowsOriginalImages(model, { feature })).toBe(allowed);
    },
  );
});

test.each<[WebSearchMode, readonly WebSearchMode[] | undefined, boolean, WebSearchMode]>([
  ['live', undefined, false, 'live'],
  ['live', ['live'], false, 'live'],
  ['live', ['cached'], false, 'cached'],
  ['cached', ['live'], false, 'live'],
  ['cached', [], false, 'disabled'],
  ['cached', ['disabled'], true, 'disabled'],
  ['disabled', ['live'], true, 'disabled'],
])('of %s, with %j allowed and full access %s, %s is left [MODEL-35]', (wanted, allowed, fullAccess, mode) => {
  expect(allowedWebSearchMode(wanted, { allowed, fullAccess })).toBe(mode);
});

function sandbox(mode: SandboxPolicy['mode']): SandboxPolicy {
  return { mode, writableRoots: [], networkAccess: false, excludeTmpdirEnvVar: false, excludeSlashTmp: false };
}

describe('the tools', () => {
  const TOOLS: ToolChoices = {
    shell: true,
    unifiedExec: false,
    enabled: new Set(['view_image']),
    disabled: new Set(),
    originalImages: false,
  };

  test.each<[string, Partial<ModelInfo>, Partial<ToolChoices>, string, readonly string[]]>([
    ['its form of commands', { shellType: 'local' }, {}, 'local-shell', ['view_image']],
    ['sessions where they are chosen', { shellType: 'default' }, { unifiedExec: true }, 'unified-exec', ['view_image']],
    ['no commands for a model without', { shellType: 'disabled' }, { unifiedExec: true }, 'none', ['view_image']],
    ['no commands where they are switched off', {}, { shell: false }, 'none', ['view_image']],
    ['its own tools too', { experimentalTools: ['list_dir'] }, {}, 'shell-command', ['view_image', 'list_dir']],
    [
      'none that is switched off',
      { experimentalTools: ['list_dir'] },
      { disabled: new Set(['view_image', 'list_dir']) },
      'shell-command',
      [],
    ],
  ])('of a model are %s [MODEL-42]', (_name, model, choices, shell, enabled) => {
    expect(resolveTools(modelWith(model), { ...TOOLS, ...choices })).toEqual({
      shell,
      enabled: new Set(enabled),
      originalImages: false,
    });
  });
});

const CHOICES: TurnChoices = {
  reasoningEffort: { turn: undefined, planMode: undefined, configured: undefined },
  reasoningSummary: { turn: undefined, configured: undefined },
  verbosity: undefined,
  personality: { feature: true, turn: undefined, configured: undefined, stored: undefined },
  serviceTier: { turn: undefined, configured: undefined, fastMode: true },
  allowedWebSearchModes: undefined,
  tools: { shell: true, unifiedExec: false, enabled: new Set(), disabled: new Set(), originalImages: false },
};
const GROUND: TurnGround = {
  model: GENERAL,
  choices: CHOICES,
  webSearch: {
    mode: undefined,
    allowedDomains: undefined,
    contextSize: undefined,
    location: undefined,
    isServed: true,
  },
  sandbox: sandbox('read-only'),
  collaborationMode: undefined,
};
const TOOLS = { shell: 'shell-command', enabled: new Set(), originalImages: false };

describe('a turn', () => {
  test('without choices goes by its model [MODEL-36]', () => {
    expect(resolveTurn(GROUND)).toEqual({
      reasoningEffort: 'medium',
      reasoningSummary: 'auto',
      reasoning: { effort: 'medium', summary: 'auto' },
      verbosity: 'low',
      personality: undefined,
      serviceTier: undefined,
      webSearchMode: 'cached',
      tools: TOOLS,
      notes: [],
    });
  });

  test.each([
    ['cached', 'danger-full-access', 'live', 1],
    ['cached', 'workspace-write', 'cached', 0],
    ['live', 'danger-full-access', 'live', 0],
    ['disabled', 'danger-full-access', 'disabled', 0],
  ] as const)('with %s and %s searches %s and has %d notes [WEB-01]', (mode, access, webSearchMode, count) => {
    const webSearch = { ...GROUND.webSearch, mode };
    const { notes, ...resolved } = resolveTurn({ ...GROUND, webSearch, sandbox: sandbox(access) });
    expect([resolved.webSearchMode, notes.length]).toEqual([webSearchMode, count]);
  });

  test('has its own choices first, its search follows its sandbox, and what has no effect is told [MODEL-36]', () => {
    const resolved = resolveTurn({
      ...GROUND,
      model: MODEL,
      choices: {
        ...CHOICES,
        reasoningEffort: { turn: 'minimal', planMode: 'low', configured: 'high' },
        reasoningSummary: { turn: undefined, configured: 'none' },
        verbosity: 'high',
        personality: { ...CHOICES.personality, turn: 'friendly' },
        serviceTier: { turn: 'fast', configured: undefined, fastMode: false },
      },
      sandbox: sandbox('danger-full-access'),
      collaborationMode: { mode: 'plan', instructions: undefined },
    });

    expect(resolved).toEqual({
      reasoningEffort: 'minimal',
      reasoningSummary: 'none',
      reasoning: { effort: 'minimal' },
      verbosity: undefined,
      personality: 'friendly',
      serviceTier: undefined,
      webSearchMode: 'live',
      tools: TOOLS,
      notes: [
        'gpt-5.2-codex does not list the reasoning effort minimal, which is sent as it was chosen; it lists low, medium, high, xhigh.',
        'gpt-5.2-codex takes no verbosity; high is left out.',
        'The service tier fast is left out: the feature fast_mode is off.',
      ],
    });
  });

  test.each([
    { mode: 'plan', planMode: 'high', effort: 'high' },
    { mode: 'plan', planMode: undefined, effort: 'low' },
    { mode: 'default', planMode: 'high', effort: 'low' },
    { mode: undefined, planMode: 'high', effort: 'low' },
  ])('in mode $mode with the effort $planMode for plans has the effort $effort [MODEL-43]', (choice) => {
    const { mode, planMode, effort } = choice;
    const collaborationMode = mode === undefined ? undefined : { mode, instructions: undefined };
    const choices = { ...CHOICES, reasoningEffort: { turn: undefined, planMode, configured: 'low' } };

    expect(resolveTurn({ ...GROUND, choices, collaborationMode }).reasoningEffort).toBe(effort);
  });
});

test('the configuration may overrule a model, its window within the largest one [MODEL-37]', () => {
  const model = modelWith({ contextWindow: 100, maxContextWindow: 200, modelMessages: { instructionsTemplate: 't' } });
  const none = { contextWindow: undefined, supportsReasoningSummaries: undefined, baseInstructions: undefined };
  const { modelMessages: _messages, ...rest } = model;

  expect([
    withOverrides(model, none),
    withOverrides(model, { ...none, contextWindow: 150 }).contextWindow,
    withOverrides(model, { ...none, contextWindow: 900 }).contextWindow,
    withOverrides(modelWith({}), { ...none, contextWindow: 900_000 }).contextWindow,
    withOverrides(model, { contextWindow: undefined, supportsReasoningSummaries: false, baseInstructions: 'own' }),
  ]).toEqual([model, 150, 200, 900_000, { ...rest, baseInstructions: 'own', supportsReasoningSummaries: false }]);
});
