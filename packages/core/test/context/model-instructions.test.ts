import type { ModelMessages, Personality } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { BASE_INSTRUCTIONS } from '../../src/context/base-instructions.ts';
import { modelInstructions, personalityText, supportsPersonality } from '../../src/context/model-instructions.ts';
import { modelNamed } from './context-settings.ts';

const WHOLE: ModelMessages = {
  instructionsTemplate: '{{ personality }} You code. {{ personality }}',
  personalityDefault: 'default',
  personalityFriendly: 'friendly $& words',
  personalityPragmatic: 'pragmatic',
};

function instructions(
  model: Parameters<typeof modelNamed>[1],
  personality: Personality | undefined,
  { feature = true }: { readonly feature?: boolean } = {},
) {
  return modelInstructions(modelNamed('m', model), { personality, personalityFeature: feature });
}

describe('a template is filled with the chosen personality in every place [CORE-155]', () => {
  test.each<[Personality | undefined, string, Personality | undefined]>([
    [undefined, 'default You code. default', undefined],
    ['none', ' You code. ', 'none'],
    ['friendly', 'friendly $& words You code. friendly $& words', 'friendly'],
    ['pragmatic', 'pragmatic You code. pragmatic', 'pragmatic'],
  ])('%s', (personality, text, bakedPersonality) => {
    expect(instructions({ modelMessages: WHOLE, baseInstructions: 'unused' }, personality)).toEqual({
      text,
      bakedPersonality,
    });
  });

  test('with the feature off it is the default one, whatever was asked for', () => {
    const expected = { text: 'default You code. default', bakedPersonality: undefined };
    expect(instructions({ modelMessages: WHOLE }, 'friendly', { feature: false })).toEqual(expected);
  });

  test('a missing variable is the empty string', () => {
    const { instructionsTemplate = '' } = WHOLE;
    const modelMessages = { instructionsTemplate };
    expect(instructions({ modelMessages }, /* personality */ undefined)).toEqual({
      text: ' You code. ',
      bakedPersonality: undefined,
    });
    expect(instructions({ modelMessages }, 'friendly')).toEqual({
      text: ' You code. ',
      bakedPersonality: undefined,
      note: 'the instructions of m have no friendly personality; it is told in a message of its own',
    });
  });
});

describe('without a template the plain instructions are used [CORE-156]', () => {
  const note = 'the instructions of m have no pragmatic personality; it is told in a message of its own';

  test.each([
    ['of the model', { baseInstructions: 'Plain.' }, 'Plain.'],
    [
      'of the model, when only variables exist',
      { baseInstructions: 'Plain.', modelMessages: { personalityPragmatic: 'p' } },
      'Plain.',
    ],
    ['or general ones', {}, BASE_INSTRUCTIONS],
  ])('%s', (_, model, text) => {
    expect(instructions(model, /* personality */ undefined)).toEqual({ text, bakedPersonality: undefined });
    expect(instructions(model, 'none')).toEqual({ text, bakedPersonality: 'none' });
    expect(instructions(model, 'pragmatic')).toEqual({ text, bakedPersonality: undefined, note });
    expect(instructions(model, 'pragmatic', { feature: false })).toEqual({ text, bakedPersonality: undefined });
  });

  test('a template without a place for a personality is used as it is', () => {
    const model = { modelMessages: { ...WHOLE, instructionsTemplate: 'You code.' }, baseInstructions: 'unused' };
    expect(instructions(model, 'pragmatic')).toEqual({ text: 'You code.', bakedPersonality: undefined, note });
  });
});

test('a model supports personalities when its template has a place and all texts are there [CORE-157]', () => {
  const supports = (modelMessages: ModelMessages) => supportsPersonality(modelNamed('m', { modelMessages }));
  expect(supports(WHOLE)).toBe(true);
  expect(supports({ ...WHOLE, personalityDefault: '', personalityFriendly: '', personalityPragmatic: '' })).toBe(true);
  expect(supports({ ...WHOLE, instructionsTemplate: 'You code.' })).toBe(false);
  for (const missing of ['personalityDefault', 'personalityFriendly', 'personalityPragmatic'] as const) {
    const { [missing]: _, ...rest } = WHOLE;
    expect(supports(rest)).toBe(false);
  }
  expect(supportsPersonality(modelNamed('m'))).toBe(false);
});

test("a personality is told in the model's words, else in ours [CORE-158]", () => {
  expect(personalityText(modelNamed('m', { modelMessages: WHOLE }), 'pragmatic')).toBe('pragmatic');
  const own = (['none', 'friendly', 'pragmatic'] as const).map((name) => personalityText(modelNamed('m'), name));
  expect(new Set(own).size).toBe(3);
  expect(own).not.toContain('');
});
