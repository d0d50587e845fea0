export type SnapshotErrorCode =
  /** The snapshot was removed, with its store or because it was old. */
  | 'not-found'
  /** The snapshot is of another work tree. */
  | 'wrong-place'
  /** The present state of the files could not be told. */
  | 'unavailable'
  /** Files in the way are in no snapshot, so that their contents would be lost; nothing was touched. */
  | 'unkept-files'
  /** Files are as they were before the restore. */
  | 'restore-failed'
  /** Some files could be neither restored nor put back; the message says where they are. */
  | 'rollback-failed';

/** Why the files of a snapshot were not restored. The message says what to do. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code: SnapshotErrorCode;

  constructor(code: SnapshotErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
