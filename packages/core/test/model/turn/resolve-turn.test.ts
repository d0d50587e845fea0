import type { ModelInfo, Personality, SandboxPolicy } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { findModel } from '../../../src/model/catalog.ts';
import { withOverrides } from '../../../src/model/model-overrides.ts';
import { allowedWebSearchMode } from '../../../src/model/turn/allowed-web-search.ts';
import { allowsOriginalImages, imageRefusal } from '../../../src/model/turn/images.ts';
import { resolvePersonality } from '../../../src/model/turn/personality.ts';
import { effortNote, nearestEffort, resolveReasoning } from '../../../src/model/turn/reasoning.ts';
import { resolveTurn, type TurnChoices } from '../../../src/model/turn/resolve-turn.ts';
import { isFastMode, persistedServiceTier, resolveServiceTier } from '../../../src/model/turn/service-tier.ts';
import { resolveVerbosity } from '../../../src/model/turn/verbosity.ts';
import type { WebSearchMode } from '../../../src/thread/settings.ts';

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
      effortNote(UNKNOWN, 'minimal'),
    ];

    expect(notes).toEqual([
      'gpt-5.2-codex does not list the reasoning effort minimal, which is sent as it was chosen; it lists low, medium, high, xhigh.',
      undefined,
      undefined,
      undefined,
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

  test('is kept as fast when Fast mode is switched on and removed when it is switched off [MODEL-32]', () => {
    const written = [true, false].map((fast) => persistedServiceTier({ fast }));

    expect([written, [...written, 'priority', 'flex'].map(isFastMode)]).toEqual([
      ['fast', undefined],
      [true, false, true, false],
    ]);
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
  test('are refused for a model that takes none, with its name [MODEL-34]', () => {
    expect([imageRefusal(MODEL), imageRefusal(modelWith({ inputModalities: ['text'] }))]).toEqual([
      undefined,
      'gpt-5.2-codex takes no images. Remove them from the message, or choose another model.',
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

const CHOICES: TurnChoices = {
  reasoningEffort: { turn: undefined, configured: undefined },
  reasoningSummary: { turn: undefined, configured: undefined },
  verbosity: undefined,
  personality: { feature: true, turn: undefined, configured: undefined, stored: undefined },
  serviceTier: { turn: undefined, configured: undefined, fastMode: true },
  web: {
    webSearch: {
      mode: undefined,
      allowedDomains: undefined,
      contextSize: undefined,
      location: undefined,
      isServed: true,
    },
    sandbox: sandbox('read-only'),
  },
  allowedWebSearchModes: undefined,
  originalImages: false,
};

describe('a turn', () => {
  test('without choices goes by its model [MODEL-36]', () => {
    expect(resolveTurn(GENERAL, CHOICES)).toEqual({
      reasoning: { effort: 'medium', summary: 'auto' },
      verbosity: 'low',
      personality: undefined,
      serviceTier: undefined,
      webSearch: 'cached',
      acceptsImages: true,
      originalImages: false,
      notes: [],
    });
  });

  test('has its own choices first, its search follows its sandbox, and what has no effect is told [MODEL-36]', () => {
    const resolved = resolveTurn(MODEL, {
      ...CHOICES,
      reasoningEffort: { turn: 'minimal', configured: 'high' },
      reasoningSummary: { turn: undefined, configured: 'none' },
      verbosity: 'high',
      personality: { ...CHOICES.personality, turn: 'friendly' },
      serviceTier: { turn: 'fast', configured: undefined, fastMode: false },
      web: { ...CHOICES.web, sandbox: sandbox('danger-full-access') },
    });

    expect(resolved).toEqual({
      reasoning: { effort: 'minimal' },
      verbosity: undefined,
      personality: 'friendly',
      serviceTier: undefined,
      webSearch: 'live',
      acceptsImages: true,
      originalImages: false,
      notes: [
        'gpt-5.2-codex does not list the reasoning effort minimal, which is sent as it was chosen; it lists low, medium, high, xhigh.',
        'gpt-5.2-codex takes no verbosity; high is left out.',
        'The service tier fast is left out: the feature fast_mode is off.',
      ],
    });
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
