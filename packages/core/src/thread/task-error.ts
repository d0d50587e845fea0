import type { LocalFailureCode } from '@quire/protocol';

/** A task can not go on for a reason of our own. The message is for a person and says what to do. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code: LocalFailureCode;

  constructor(code: LocalFailureCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
