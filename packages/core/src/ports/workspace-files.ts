export type WorkspaceAnswer<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  /** What, where, why. One line, but for the words of a search program, which are given as they came. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface DirectoryEntry {
  /** Relative to the directory asked about, with `/`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
}

/** Files as the reading tools see them. Paths are absolute. Everything here rejects with the reason of its signal. */
export interface WorkspaceFiles {
  /**
   * Lines of a file, in order, without their ends; invalid UTF-8 replaced. Of a line that is longer than any use of it
   * only the beginning is given. Stops when `onLine` returns `false`; the value is how many lines were handed out.
   */
  readLines(
    path: string,
    options: {
      /** Lines before this one are passed over. Counted from 1, which is the default. */
      readonly firstLine?: number;
      readonly onLine: (line: string) => boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<WorkspaceAnswer<number>>;
  /** Entries down to `depth` levels; links are not entered. */
  listDirectory(
    path: string,
    options: { readonly depth: number; readonly signal: AbortSignal },
  ): Promise<WorkspaceAnswer<readonly DirectoryEntry[]>>;
  /** Files with a line that matches, the last changed first. Paths as the searched one is given. */
  search(
    query: {
      readonly pattern: string;
      readonly include: string | undefined;
      readonly path: string;
      readonly cwd: string;
      readonly limit: number;
    },
    options: { readonly signal: AbortSignal },
  ): Promise<WorkspaceAnswer<readonly string[]>>;
}
