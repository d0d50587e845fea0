import { type JsonObject, stringAt } from '@quire/protocol';
import type { AnswerContext } from './script/step.ts';

/**
 * Ids for the answer to one request: `resp_<label>`, `msg_<label>_<n>`. They are the same in every run; ids that the
 * input already holds (a thread resumed against another simulator) are stepped over.
 */
export function createAnswerContext(request: {
  /** Unique in this simulator. */
  readonly label: string;
  readonly input: readonly JsonObject[];
}): AnswerContext {
  let taken: Set<string> | undefined;
  let count = 0;
  return {
    responseId: `resp_${request.label}`,
    nextItemId: (prefix) => {
      taken ??= new Set(request.input.flatMap((item) => stringAt(item, 'id') ?? []));
      for (;;) {
        const id = `${prefix}_${request.label}_${count}`;
        count += 1;
        if (!taken.has(id)) return id;
      }
    },
  };
}
