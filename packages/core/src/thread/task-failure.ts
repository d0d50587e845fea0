import { ModelError, type ModelErrorCode, type TurnFailure } from '@quire/protocol';
import { TaskError } from './task-error.ts';

/** What a person can do where the server's words do not say it. */
const REMEDIES: ReadonlyMap<ModelErrorCode, string> = new Map([
  ['context-window-exceeded', "the conversation no longer fits the model's context window: start a new thread"],
  ['invalid-image', 'the model refused an image: start again without it'],
]);

/** How the failure of a task is told. */
export function failureOf(error: unknown): TurnFailure {
  if (error instanceof ModelError) {
    const remedy = REMEDIES.get(error.code);
    const message = remedy === undefined ? error.message : `${error.message} (${remedy})`;
    return { code: error.code, message, retryable: error.retryable };
  }
  if (error instanceof TaskError) return { code: error.code, message: error.message, retryable: false };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message: `internal error: ${message}`, retryable: false };
}
