import type { WorkspaceFiles } from '@quire/core';

export interface WorkspaceFilesOptions {
  /** Where `rg` and git's global list of ignored files are looked for. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Reads and searches files. What does it is loaded when it is first used. */
export function createWorkspaceFiles(options: WorkspaceFilesOptions = {}): WorkspaceFiles {
  return {
    readLines: async (path, readOptions) => (await import('./read-lines.ts')).readLines(path, readOptions),
    listDirectory: async (path, listOptions) => (await import('./list-directory.ts')).listDirectory(path, listOptions),
    search: async (query, { signal }) => {
      const [{ searchFiles }, { SEARCH_TIMEOUT_MS: timeoutMs }] = await Promise.all([
        import('./search/search-files.ts'),
        import('./search/search-query.ts'),
      ]);
      return searchFiles(query, { signal, environment: options.environment ?? process.env, timeoutMs });
    },
  };
}
