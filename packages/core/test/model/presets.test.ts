import { expect, test } from 'vitest';
import { nextAvailabilityNotice, upgradeOffer } from '../../src/model/model-notices.ts';
import { chooseModel, modelPresets } from '../../src/model/presets.ts';
import { modelsOf, wireEntry } from './catalog-entries.ts';

const names = (presets: ReturnType<typeof modelPresets>) =>
  presets.map(({ id, isDefault }) => (isDefault ? `*${id}` : id));

test('presets come by priority, without a login only those for keys, and the first listed is the default [MODEL-25]', () => {
  const models = modelsOf(
    wireEntry('late', { priority: 9 }),
    wireEntry('hidden', { priority: 0, visibility: 'hide' }),
    wireEntry('login-only', { priority: 1, supported_in_api: false }),
    wireEntry('tie-1', { priority: 5 }),
    wireEntry('tie-2', { priority: 5 }),
  );

  expect(names(modelPresets(models, { isChatgpt: true }))).toEqual(['hidden', '*login-only', 'tie-1', 'tie-2', 'late']);
  expect(names(modelPresets(models, { isChatgpt: false }))).toEqual(['hidden', '*tie-1', 'tie-2', 'late']);
});

test('where nothing is listed the first is the default; of nothing there is none [MODEL-25] [CHECK-31]', () => {
  const hidden = modelsOf(wireEntry('b', { priority: 2, visibility: 'hide' }), wireEntry('a', { visibility: 'none' }));

  expect([hidden, []].map((models) => names(modelPresets(models, { isChatgpt: true })))).toEqual([['*a', 'b'], []]);
});

test('a preset has what people choose by [MODEL-25]', () => {
  const [preset] = modelPresets(
    modelsOf(
      wireEntry('m', {
        supported_reasoning_levels: [{ effort: 'low', description: 'quick' }],
        model_messages: {
          instructions_template: '{{ personality }}',
          instructions_variables: { personality_default: '', personality_friendly: 'f', personality_pragmatic: 'p' },
        },
        input_modalities: ['text'],
      }),
    ),
    { isChatgpt: false },
  );

  expect(preset).toEqual({
    id: 'm',
    displayName: 'm',
    description: '',
    defaultReasoningEffort: 'none',
    reasoningLevels: [{ effort: 'low', description: 'quick' }],
    supportsPersonality: true,
    upgrade: undefined,
    isListed: true,
    availabilityNotice: undefined,
    supportedInApi: true,
    inputModalities: ['text'],
    isDefault: true,
  });
});

const AUTOMATIC = wireEntry('codex-auto-balanced', { priority: 7 });
test.each([
  { name: 'what was asked for, even if nobody knows it', explicit: 'odd', entries: [AUTOMATIC], chosen: 'odd' },
  {
    name: 'the automatic one',
    entries: [wireEntry('first', { priority: 0 }), AUTOMATIC],
    chosen: 'codex-auto-balanced',
  },
  {
    name: 'not a hidden automatic one',
    entries: [wireEntry('first'), { ...AUTOMATIC, visibility: 'hide' }],
    chosen: 'first',
  },
  {
    name: 'not the automatic one with a key',
    isChatgpt: false,
    entries: [wireEntry('first'), AUTOMATIC],
    chosen: 'first',
  },
  { name: 'the built-in default where there is no list', entries: [], chosen: 'gpt-5.2-codex' },
])('the model of a thread is $name [MODEL-26]', ({ explicit, isChatgpt = true, entries, chosen }) => {
  expect(chooseModel(modelsOf(...entries), { explicit, isChatgpt })).toBe(chosen);
});

const LEVELS = ['low', 'high'].map((effort) => ({ effort, description: '' }));
const UPGRADES = modelPresets(
  modelsOf(
    wireEntry('old', { upgrade: { model: 'new', migration_markdown: 'why' } }),
    wireEntry('new', { supported_reasoning_levels: LEVELS, upgrade: { model: 'new', migration_markdown: '' } }),
    wireEntry('lost', { upgrade: { model: 'gone', migration_markdown: '' } }),
    wireEntry('before', { upgrade: { model: 'gpt-5.1', migration_markdown: '' } }),
    wireEntry('gpt-5.1'),
  ),
  { isChatgpt: true },
);
const OFFER = { from: 'old', to: 'new', migrationMarkdown: 'why' };
test.each([
  { model: 'old', effort: 'xhigh', offer: { ...OFFER, reasoningEffort: 'high' } },
  { model: 'old', offer: { ...OFFER, reasoningEffort: undefined } },
  { model: 'old', migrations: { old: 'other' }, offer: { ...OFFER, reasoningEffort: undefined } },
  { model: 'old', migrations: { old: 'new' }, offer: undefined },
  { model: 'new', offer: undefined },
  { model: 'lost', offer: undefined },
  { model: 'unknown', offer: undefined },
  { model: 'before', hidden: ['hide_gpt5_1_migration_prompt'], offer: undefined },
])('an upgrade of $model is offered or not: $migrations $hidden [MODEL-27]', (given) => {
  const { model, effort, migrations = {}, hidden = [], offer } = given;

  expect(upgradeOffer(UPGRADES, { model, reasoningEffort: effort }, { migrations, hidden: new Set(hidden) })).toEqual(
    offer,
  );
});

test('a notice is shown four times, then the next one of the list [MODEL-28]', () => {
  const presets = modelPresets(
    modelsOf(
      wireEntry('a', { availability_nux: { message: 'A' } }),
      wireEntry('b'),
      wireEntry('c', { availability_nux: { message: 'C' } }),
    ),
    { isChatgpt: true },
  );
  const next = (showings: Record<string, number>) => nextAvailabilityNotice(presets, showings);

  expect([next({}), next({ a: 3 }), next({ a: 4 }), next({ a: 4, c: 4 })]).toEqual([
    { model: 'a', message: 'A', showings: 1 },
    { model: 'a', message: 'A', showings: 4 },
    { model: 'c', message: 'C', showings: 1 },
    undefined,
  ]);
});
