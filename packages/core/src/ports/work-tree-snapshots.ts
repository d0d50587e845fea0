/** The files of a work tree at one moment, kept outside of its repository. */
export interface SnapshotRef {
  /** Opaque to everybody but the port that made it; plain JSON text, kept in the rollout. */
  readonly id: string;
}

export interface RestoreReport {
  /** Absolute paths of files that were written or removed. */
  readonly changed: readonly string[];
}

/**
 * Takes and puts back the files of a work tree. The repository's own index, refs, objects and configuration are
 * never written to.
 */
export interface WorkTreeSnapshots {
  /** `undefined`: there is no work tree here, or it can not be kept (too large, too slow); the reason is in `note`. */
  take(options: {
    readonly cwd: string;
    readonly signal: AbortSignal;
  }): Promise<{ readonly ref: SnapshotRef | undefined; readonly note: string | undefined }>;
  /**
   * Makes the files as they were: changed and deleted ones come back, ones made since are removed unless the
   * repository ignores them. All or nothing as far as the system allows.
   * @throws Error that says what could not be restored and what to do
   */
  restore(ref: SnapshotRef, options: { readonly cwd: string; readonly signal: AbortSignal }): Promise<RestoreReport>;
}
