import { expect, test } from 'vitest';
import { BUNDLED_MODELS } from '../../src/model/bundled-models.ts';
import { DEFAULT_MODEL, findModel } from '../../src/model/catalog.ts';
import { chooseModel } from '../../src/model/presets.ts';

test('every bundled model is whole: a name of its own, a default among its efforts, a place to upgrade to [MODEL-01]', () => {
  const slugs = BUNDLED_MODELS.map(({ slug }) => slug);
  const broken = BUNDLED_MODELS.filter((model) => {
    const efforts = model.supportedReasoningEfforts;
    const { defaultReasoningEffort: effort, upgrade, contextWindow = 0, maxContextWindow = contextWindow } = model;
    return (
      (effort !== undefined && !efforts.includes(effort)) ||
      model.reasoningLevels.some(({ description }) => description === '') ||
      (upgrade !== undefined && !slugs.includes(upgrade.model)) ||
      maxContextWindow < contextWindow ||
      model.isFallback
    );
  });

  expect([new Set(slugs).size, broken]).toEqual([slugs.length, []]);
});

test('without a catalog the default is that of the bundled list, with a key and with a login [MODEL-01]', () => {
  const choices = [true, false].map((isChatgpt) => chooseModel(BUNDLED_MODELS, { explicit: undefined, isChatgpt }));

  expect(choices).toEqual([DEFAULT_MODEL, DEFAULT_MODEL]);
  expect(findModel(DEFAULT_MODEL)).toMatchObject({ shellType: 'shell_command', isFallback: false });
});
