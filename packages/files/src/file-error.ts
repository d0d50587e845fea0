export type FileErrorCode =
  /** Another holder has the lock and does not give it back. */
  | 'in-use'
  /** The file, or its lock, can not be made or replaced. */
  | 'not-writable';

/** Why a file could not be changed. The message names it and says what to do, and tells nothing of its content. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;

  constructor(code: FileErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
