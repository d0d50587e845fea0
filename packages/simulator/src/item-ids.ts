import { stringAt } from '@quire/protocol';
import type { RecordedRequest } from './recorded-request.ts';
import type { AnswerContext } from './script/step.ts';

/**
 * Ids for the answer to one request: `resp_<index>`, `msg_<index>_<n>`. They are the same in every run; ids that the
 * input already holds (a thread resumed against another simulator) are stepped over.
 */
export function createAnswerContext(request: RecordedRequest): AnswerContext {
  let taken: Set<string> | undefined;
  let count = 0;
  return {
    responseId: `resp_${request.index}`,
    nextItemId: (prefix) => {
      taken ??= new Set(request.input.flatMap((item) => stringAt(item, 'id') ?? []));
      for (;;) {
        const id = `${prefix}_${request.index}_${count}`;
        count += 1;
        if (!taken.has(id)) return id;
      }
    },
  };
}
