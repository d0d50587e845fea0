export type PatchErrorCode =
  /** The text is not a patch: markers are missing or the environment line is empty. */
  | 'invalid-patch'
  /** A file section is malformed; `lineNumber` says where. */
  | 'invalid-hunk'
  /** The patch names no file. */
  | 'empty-patch'
  /** The line after `@@` is not in the file. */
  | 'context-not-found'
  /** The lines to change are not in the file. */
  | 'lines-not-found'
  /** A file to update or delete is missing, a directory or not text; or a new file's path is a directory. */
  | 'file-unusable';

/**
 * Why a patch cannot be applied. Nothing was written when this is thrown.
 *
 * The message is made for the model: it keeps the short forms that models know from this patch format.
 */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly code: PatchErrorCode;
  /** 1-based line of the patch (surrounding blank lines and heredoc wrapper not counted); only for 'invalid-hunk'. */
  readonly lineNumber: number | undefined;
  /** Absolute path of the file that was the reason, if there is one. */
  readonly path: string | undefined;

  constructor(
    code: PatchErrorCode,
    message: string,
    details: { readonly lineNumber?: number; readonly path?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.lineNumber = details.lineNumber;
    this.path = details.path;
  }
}

/** What the model is told when a patch call fails before anything was written. */
export function patchFailureText(error: PatchError): string {
  return error.code === 'empty-patch' ? error.message : `apply_patch verification failed: ${error.message}`;
}
