import type { StreamAnswer } from '../script/step.ts';
import { encodeSse } from './encode.ts';

/**
 * Encodes a response now, so that serving it later costs only the writing. For benches.
 *
 * Its ids are then fixed: serve it once per thread, with a `label` of its own. Faults that count events see few
 * large ones; wrap with those that count bytes.
 */
export function precompute(answer: StreamAnswer, options: { readonly label: string }): StreamAnswer {
  let itemCount = 0;
  const context = {
    responseId: `resp_${options.label}`,
    nextItemId: (prefix: string) => `${prefix}_${options.label}_${itemCount++}`,
  };
  const blocks = [...encodeSse(answer.parts(context), { lineEnding: answer.lineEnding })];
  return { ...answer, parts: () => blocks.map((bytes) => ({ kind: 'raw' as const, bytes })) };
}
