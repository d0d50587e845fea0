export type RolloutErrorCode =
  | 'not-found'
  | 'not-readable'
  | 'not-writable'
  /** The file holds no complete header line, so there is no thread in it. */
  | 'no-header'
  /** A fork by reference whose parent is gone. */
  | 'no-parent'
  /** Several threads fit what was asked for. */
  | 'ambiguous'
  /** A thread can not be forked before something that nobody said in it. */
  | 'no-such-message'
  /** Another process writes it. */
  | 'in-use'
  | 'closed';

/** A rollout could not be found, read or written. Messages name the file, never its content. */
export class RolloutError extends Error {
  override readonly name = 'RolloutError';
  readonly code: RolloutErrorCode;
  /** Absolute path of the file, or of the folder that was searched. */
  readonly path: string;

  constructor(code: RolloutErrorCode, message: string, details: { readonly path: string; readonly cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
  }
}
