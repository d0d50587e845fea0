import { expect, test } from 'vitest';
import { findModelIn, unknownModelWarning } from '../../src/model/find-model.ts';
import { mergeCatalog } from '../../src/model/merge-catalog.ts';
import { modelsOf, wireEntry } from './catalog-entries.ts';

const MODELS = modelsOf(wireEntry('gpt-5'), wireEntry('gpt-5.5'), wireEntry('gpt-5.5-mini', { visibility: 'hide' }));

test.each([
  ['gpt-5.5', 'gpt-5.5'],
  ['gpt-5.5-foo', 'gpt-5.5'],
  ['gpt-5.5-mini-2026', 'gpt-5.5-mini'],
  ['gpt-5.4', 'gpt-5'],
  ['custom/gpt-5.5', 'gpt-5.5'],
  ['my_own-1/gpt-5.5-x', 'gpt-5.5'],
  ['a/b/gpt-5.5', undefined],
  ['custom/gpt-5.5/x', undefined],
  ['a.b/gpt-5.5', undefined],
  ['/gpt-5.5', undefined],
  ['gpt', undefined],
  ['', undefined],
])('%s is described by %s and keeps its name [MODEL-05] [CHECK-28] [CHECK-29] [TRAP-05]', (name, entry) => {
  for (const models of [MODELS, MODELS.toReversed()]) {
    const found = findModelIn(models, name);

    expect([found.slug, found.isFallback ? undefined : found.displayName]).toEqual([name, entry]);
  }
});

test('an unknown model gets general values [MODEL-06]', () => {
  expect(findModelIn(MODELS, 'llama')).toEqual({
    slug: 'llama',
    displayName: 'llama',
    description: undefined,
    defaultReasoningEffort: undefined,
    supportedReasoningEfforts: [],
    reasoningLevels: [],
    supportsReasoningSummaries: false,
    defaultReasoningSummary: 'auto',
    supportsVerbosity: false,
    defaultVerbosity: undefined,
    applyPatchTool: 'function',
    truncation: { mode: 'bytes', limit: 10_000 },
    supportsParallelToolCalls: false,
    contextWindow: 272_000,
    effectiveContextWindowPercent: 95,
    inputModalities: ['text', 'image'],
    shellType: 'shell_command',
    experimentalTools: [],
    webSearchTool: 'text',
    supportsOriginalImages: false,
    prefersWebsockets: false,
    isFallback: true,
    visibility: 'none',
    supportedInApi: true,
    priority: 99,
    availabilityNotice: undefined,
    upgrade: undefined,
  });
});

test.each([
  ['gpt-5.5', undefined],
  ['llama', 'Nothing is known about the model llama; general settings are used for it, which may cost quality.'],
  [
    'gtp-5.5',
    'Nothing is known about the model gtp-5.5; general settings are used for it, which may cost quality. Was gpt-5.5 meant?',
  ],
])('of %s people are told %j [MODEL-06]', (name, warning) => {
  expect(unknownModelWarning(MODELS, name)).toBe(warning);
});

test.each([
  { isChatgpt: true, visibility: 'list', slugs: ['b', 'c'], description: 'new' },
  { isChatgpt: true, visibility: 'hide', slugs: ['a', 'b', 'c'], description: 'new' },
  { isChatgpt: false, visibility: 'list', slugs: ['a', 'b', 'c'], description: 'new' },
])(
  'a sent list whose models are $visibility replaces or extends the bundled one: $isChatgpt [MODEL-08] [TRAP-07]',
  ({ isChatgpt, visibility, slugs, description }) => {
    const bundled = modelsOf(wireEntry('a'), wireEntry('b', { description: 'old' }));
    const remote = modelsOf(wireEntry('b', { description: 'new', visibility }), wireEntry('c', { visibility }));
    const merged = mergeCatalog(bundled, remote, { isChatgpt });

    expect([merged.map(({ slug }) => slug), findModelIn(merged, 'b').description]).toEqual([slugs, description]);
  },
);

test('an empty list from a provider leaves the bundled one [MODEL-08]', () => {
  expect(mergeCatalog(MODELS, [], { isChatgpt: true })).toEqual(MODELS);
});
