export type FileReading =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'directory' }
  /** Not UTF-8, or unreadable; `reason` is the system's word for it. */
  | { readonly kind: 'unreadable'; readonly reason: string };

interface EditBase {
  readonly path: string;
  /** Where it was allowed to land: real, absolute. Landing anywhere else is a failure. Absent: anywhere. */
  readonly target?: string;
}

export type FileEdit =
  | (EditBase & { readonly kind: 'write'; readonly text: string })
  | (EditBase & { readonly kind: 'delete' });

/** Files as patches see them. Paths are absolute. */
export interface PatchFiles {
  read(path: string): Promise<FileReading>;
  /** Where writing to `path` would really land: symbolic links of every existing part resolved. */
  resolveTarget(path: string): Promise<string>;
  /**
   * Applies all edits or, if one fails, none: what was already written is put back and the promise
   * rejects with an `Error` that names the file. Missing parent directories are created; modes of
   * existing files stay.
   */
  apply(edits: readonly FileEdit[]): Promise<void>;
}
