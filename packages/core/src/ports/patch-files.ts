export type FileReading =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'directory' }
  /** Not UTF-8, or unreadable; `reason` is the system's word for it. */
  | { readonly kind: 'unreadable'; readonly reason: string };

export type FileEdit =
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'delete'; readonly path: string };

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
