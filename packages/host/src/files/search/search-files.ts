import { stat } from 'node:fs/promises';
import type { WorkspaceAnswer } from '@quire/core';
import { systemReason } from '../../system-reason.ts';
import { findRipgrep, searchWithRipgrep } from './ripgrep.ts';
import type { SearchOptions, SearchQuery } from './search-query.ts';

/** With ripgrep where there is one that runs, else by own means; the answer is the same. */
export async function searchFiles(
  query: SearchQuery,
  options: SearchOptions,
): Promise<WorkspaceAnswer<readonly string[]>> {
  options.signal.throwIfAborted();
  const refusal = await refuseTarget(query);
  if (refusal !== undefined) return { kind: 'failed', reason: refusal };
  const program = findRipgrep(options.environment['PATH']);
  const answer = program === undefined ? undefined : await searchWithRipgrep(program, query, options);
  return answer ?? (await import('./own-search.ts')).searchByOwnMeans(query, options);
}

async function refuseTarget({ pattern, include = '', path }: SearchQuery): Promise<string | undefined> {
  if (pattern.includes('\0') || include.includes('\0')) return '`pattern` and `include` can not hold a NUL character';
  try {
    const stats = await stat(path);
    // A pipe would be waited for.
    return stats.isFile() || stats.isDirectory()
      ? undefined
      : `unable to access \`${path}\`: neither a file nor a directory`;
  } catch (error) {
    return `unable to access \`${path}\`: ${systemReason(error)}`;
  }
}
