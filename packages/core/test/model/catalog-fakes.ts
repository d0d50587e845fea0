import type { JsonObject } from '@quire/protocol';
import type { CachedCatalog, CatalogCache, CatalogSource, FetchedCatalog } from '../../src/model/catalog-ports.ts';
import { loadCatalogParser } from '../../src/model/load-catalog-parser.ts';
import { type CatalogNotice, ModelCatalog, type ModelCatalogOptions } from '../../src/model/model-catalog.ts';

/** What the provider says when it is asked; a promise may stay open. */
export type FetchAnswer = FetchedCatalog | Error | Promise<FetchedCatalog>;

export const CONFIRMED_AT_MS = 1_000_000_000;

export function listed(etag: string | undefined, ...models: readonly JsonObject[]): FetchedCatalog {
  return { kind: 'list', models, etag };
}

/** A catalog over a provider, a file and a clock that a test owns. */
export class CatalogStage {
  nowMs = CONFIRMED_AT_MS;
  identity = 'me';
  isChatgpt = true;
  cached: CachedCatalog | undefined;
  unreadable: string | undefined;
  writeError: Error | undefined;
  answers: FetchAnswer[] = [];
  /** The etag that each request named. */
  readonly asked: (string | undefined)[] = [];
  /** Every write of the cache, `renew` too. */
  readonly written: CachedCatalog[] = [];
  readonly notices: CatalogNotice[] = [];
  readonly signals: AbortSignal[] = [];
  reads = 0;

  catalog(options: Partial<ModelCatalogOptions> = {}): ModelCatalog {
    return new ModelCatalog({
      clock: { now: () => this.nowMs, sleep: () => Promise.reject(new Error('nothing here sleeps')) },
      clientVersion: '1.2.3-beta.1',
      source: this.source,
      cache: this.cache,
      onNotice: (notice) => this.notices.push(notice),
      ...options,
    });
  }

  keep(entry: Partial<CachedCatalog>): void {
    this.cached = {
      fetchedAtMs: this.nowMs,
      etag: '"kept"',
      clientVersion: '1.2.3',
      identity: 'me',
      models: [],
      ...entry,
    };
  }

  get source(): CatalogSource {
    return {
      access: () => {
        const { identity, isChatgpt } = this;
        if (!isChatgpt) return Promise.resolve({ identity, isChatgpt });
        return Promise.resolve({ identity, isChatgpt, fetch: (request) => this.#fetch(request) });
      },
    };
  }

  async #fetch({ knownEtag, signal }: { knownEtag: string | undefined; signal: AbortSignal }): Promise<FetchedCatalog> {
    this.asked.push(knownEtag);
    this.signals.push(signal);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error('nothing more was expected to be asked');
    if (answer instanceof Error) throw answer;
    return await answer;
  }

  get cache(): CatalogCache {
    return {
      read: () => {
        this.reads += 1;
        if (this.unreadable !== undefined) return Promise.resolve({ kind: 'unreadable', reason: this.unreadable });
        if (this.cached === undefined) return Promise.resolve({ kind: 'none' });
        return Promise.resolve({ kind: 'entry', entry: this.cached });
      },
      write: (entry) => this.#write(entry),
      renew: ({ etag, fetchedAtMs }) =>
        this.cached?.etag === etag ? this.#write({ ...this.cached, fetchedAtMs }) : Promise.resolve(),
    };
  }

  #write(entry: CachedCatalog): Promise<void> {
    if (this.writeError !== undefined) return Promise.reject(this.writeError);
    this.cached = entry;
    this.written.push(entry);
    return Promise.resolve();
  }
}

/** Everything that is ready to happen has happened, the loading of the parser too. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await loadCatalogParser();
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  }
}
