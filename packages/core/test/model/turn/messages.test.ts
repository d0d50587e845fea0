import type { ModelMessages, Personality } from '@quire/protocol';
import { expect, test } from 'vitest';
import { modelInstructions, supportsPersonality } from '../../../src/context/model-instructions.ts';
import { findModel } from '../../../src/model/catalog.ts';

const instructionsTemplate = 'before {{ personality }} after';
const SETS: Readonly<Record<string, ModelMessages>> = {
  complete: {
    instructionsTemplate,
    personalityDefault: 'default',
    personalityFriendly: 'friendly',
    personalityPragmatic: 'pragmatic',
  },
  partial: { instructionsTemplate, personalityPragmatic: 'pragmatic' },
  absent: { instructionsTemplate },
};

test.each<[string, Personality | undefined, string]>([
  ['complete', undefined, 'before default after'],
  ['complete', 'none', 'before  after'],
  ['complete', 'friendly', 'before friendly after'],
  ['complete', 'pragmatic', 'before pragmatic after'],
  ['partial', undefined, 'before  after'],
  ['partial', 'none', 'before  after'],
  ['partial', 'friendly', 'before  after'],
  ['partial', 'pragmatic', 'before pragmatic after'],
  ['absent', undefined, 'before  after'],
  ['absent', 'none', 'before  after'],
  ['absent', 'friendly', 'before  after'],
  ['absent', 'pragmatic', 'before  after'],
])(
  'instructions with %s variables and the personality %s [MODEL-41] [CHECK-32] [TRAP-13]',
  (set, personality, text) => {
    const model = { ...findModel('gpt-5.2-codex'), modelMessages: SETS[set] ?? {} };

    expect([
      modelInstructions(model, { personality, personalityFeature: true }).text,
      supportsPersonality(model),
    ]).toEqual([text, set === 'complete']);
  },
);
