import type { JsonValue } from '@quire/protocol';

/** Asks a provider for its models. */
export interface CatalogSource {
  /** Whose list it would be, going by the credentials of this moment. Rejects when there are none, or with the reason of `signal`. */
  access(options: { readonly signal: AbortSignal }): Promise<CatalogAccess>;
}

export interface CatalogAccess {
  /** Tells lists of different providers and accounts apart. Holds no secret. */
  readonly identity: string;
  readonly isChatgpt: boolean;
  /**
   * One request with its retries, bounded in time. Rejects with ModelError or the reason of `signal`. Absent: these
   * credentials have no list of their own.
   *
   * @param knownEtag of the list at hand
   */
  readonly fetch?: (options: {
    readonly knownEtag: string | undefined;
    readonly signal: AbortSignal;
  }) => Promise<FetchedCatalog>;
}

export type FetchedCatalog =
  /** Still the one with the known etag. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'list'; readonly models: readonly JsonValue[]; readonly etag: string | undefined };

/** A list as it was received, and when and for whom. */
export interface CachedCatalog {
  /** Unix milliseconds. */
  readonly fetchedAtMs: number;
  readonly etag: string | undefined;
  /** Of the program that fetched it. */
  readonly clientVersion: string | undefined;
  /** Absent: another program wrote it. */
  readonly identity: string | undefined;
  readonly models: readonly JsonValue[];
}

export type CatalogCacheReading =
  | { readonly kind: 'entry'; readonly entry: CachedCatalog }
  | { readonly kind: 'none' }
  /** The reason names the file. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Keeps the last list between runs. */
export interface CatalogCache {
  read(): Promise<CatalogCacheReading>;
  /** Rejects with an Error that names the file; what was kept is then still there. */
  write(entry: CachedCatalog): Promise<void>;
  /** Makes the kept list young again, if it is still this one. Rejects as `write` does. */
  renew(
    entry: Pick<CachedCatalog, 'fetchedAtMs' | 'identity' | 'clientVersion'> & { readonly etag: string },
  ): Promise<void>;
}
