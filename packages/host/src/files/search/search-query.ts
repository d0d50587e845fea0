import type { WorkspaceFiles } from '@quire/core';

export type SearchQuery = Parameters<WorkspaceFiles['search']>[0];

export interface SearchOptions {
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

/** Source: the peer's limit for one search. */
export const SEARCH_TIMEOUT_MS = 30_000;

export function timedOut(timeoutMs: number): { readonly kind: 'failed'; readonly reason: string } {
  const reason = `the search took more than ${timeoutMs / 1000} seconds; search a smaller directory, or limit it with \`include\``;
  return { kind: 'failed', reason };
}
