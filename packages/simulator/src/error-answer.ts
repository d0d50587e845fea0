import { status } from './script/faults.ts';
import type { StatusAnswer } from './script/step.ts';

/** What the simulator itself answers: an error in the shape of the API's. */
export function errorAnswer(code: number, error: { readonly code: string; readonly message: string }): StatusAnswer {
  return status(code, { body: { error: { type: 'invalid_request_error', ...error } } });
}
