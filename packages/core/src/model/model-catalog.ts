import { ModelError } from '@quire/protocol';
import type { Clock } from '../ports/clock.ts';
import { CATALOG_TTL_MS, cacheState } from './cache-freshness.ts';
import type { CachedCatalog, CatalogAccess, CatalogCache, CatalogSource } from './catalog-ports.ts';
import { catalogClientVersion } from './client-version.ts';
import { loadCatalogParser } from './load-catalog-parser.ts';
import { mergeCatalog } from './merge-catalog.ts';
import { BUNDLED_LIST, type ModelList } from './model-list.ts';
import type { CatalogReading } from './parse-catalog.ts';

/** `online` always asks; `offline` never; the third asks when there is no fresh list in the cache. */
export type RefreshStrategy = 'online' | 'offline' | 'online-if-uncached';

export type RefreshOutcome =
  /** What is at hand now is fresh. */
  | { readonly kind: 'fresh'; readonly from: 'cache' | 'provider' }
  /** Nothing newer was to be had: nothing cached, or no right to ask. */
  | { readonly kind: 'kept' }
  /** A static list, or the catalog is closed. */
  | { readonly kind: 'off' }
  /** The list stays as it was. The message is a sentence for people without secrets. */
  | { readonly kind: 'failed'; readonly message: string };

export interface CatalogNotice {
  /** `warning` is for people: a list was there and could not be used. `log` is for who looks for it. */
  readonly level: 'warning' | 'log';
  readonly message: string;
}

/** How long a step took, whatever came of it. */
export interface CatalogTiming {
  readonly step: 'load-cache' | 'fetch-update';
  readonly durationMs: number;
}

export interface ModelCatalogOptions {
  readonly clock: Clock;
  /** Of this program, with or without what stands behind its three numbers. */
  readonly clientVersion: string;
  readonly source?: CatalogSource;
  readonly cache?: CatalogCache;
  /** Replaces everything else: nothing is asked, read or written. */
  readonly staticList?: ModelList;
  /** Milliseconds. Default 300,000. */
  readonly ttlMs?: number;
  /** Called synchronously, each message once; must not throw. */
  readonly onNotice?: (notice: CatalogNotice) => void;
  /** Called synchronously, for records; must not throw. */
  readonly onTiming?: (timing: CatalogTiming) => void;
}

/** An equal etag makes the cache file young again, but not with every response. */
const RENEW_AFTER_MS = 60_000;

/**
 * What is known of models, kept up to date in the background. `current` answers at once with what is there; nothing
 * here is ever waited for by a turn.
 */
export class ModelCatalog {
  readonly #options: ModelCatalogOptions;
  readonly #clientVersion: string;
  readonly #ttlMs: number;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(list: ModelList) => void>();
  readonly #noticed = new Set<string>();
  #list: ModelList;
  /** Of whom the list is; `undefined`: nobody's. */
  #identity: string | undefined;
  #isCacheRead = false;
  #flight: Flight | undefined;
  #lastWrite: Promise<void> = Promise.resolve();
  /** The last etag of a response that a request was made for. */
  #followed: { readonly etag: string; readonly atMs: number } | undefined;
  #lastFailure: string | undefined;

  constructor(options: ModelCatalogOptions) {
    this.#options = options;
    this.#clientVersion = catalogClientVersion(options.clientVersion);
    this.#ttlMs = options.ttlMs ?? CATALOG_TTL_MS;
    this.#list = options.staticList ?? BUNDLED_LIST;
  }

  current(): ModelList {
    return this.#list;
  }

  /** Why the last refresh failed, if it did; a sentence without secrets. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /**
   * Brings the list up to date; calls at the same time share one request. Failures are outcomes: it rejects only with
   * the reason of `signal`, and then what is under way goes on for others.
   */
  async refresh(options: {
    readonly strategy: RefreshStrategy;
    readonly signal: AbortSignal;
  }): Promise<RefreshOutcome> {
    options.signal.throwIfAborted();
    return await unlessAborted(this.#enqueue(options.strategy), options.signal);
  }

  /**
   * Takes the etag that a response named: an equal one makes the list fresh for another while, another one has the list
   * asked for, in the background. An etag that a request was made for already is not followed again within the TTL.
   */
  noteEtag(etag: string): void {
    if (this.#isOff) return;
    this.#follow(etag).catch((error: unknown) => this.#fail(error));
  }

  /** Told of every later list, synchronously; must not throw. Gives back the way to end that. */
  onChange(listener: (list: ModelList) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends what is under way; resolves when nothing is written any more. Calling it twice is fine; what is known stays. */
  close(): Promise<void> {
    this.#closing.abort(new Error('the model catalog was closed'));
    this.#listeners.clear();
    return this.#lastWrite;
  }

  get #isOff(): boolean {
    return this.#options.staticList !== undefined || this.#closing.signal.aborted;
  }

  #enqueue(strategy: RefreshStrategy): Promise<RefreshOutcome> {
    const before = this.#flight;
    if (before !== undefined && covers(before.strategy, strategy)) return before.settled;
    const settled = (before?.settled ?? Promise.resolve())
      .then(() => this.#run(strategy))
      .catch((error: unknown) => this.#fail(error))
      .then((outcome) => {
        if (this.#flight === flight) this.#flight = undefined;
        return outcome;
      });
    const flight: Flight = { strategy, settled };
    this.#flight = flight;
    return settled;
  }

  async #run(strategy: RefreshStrategy): Promise<RefreshOutcome> {
    const { source } = this.#options;
    if (this.#isOff || source === undefined) return { kind: 'off' };
    const access = await source.access({ signal: this.#closing.signal });
    this.#turnTo(access);
    if (strategy !== 'online') {
      if (this.#isFresh || (await this.#loadCache(access)) === 'fresh') return this.#succeed('cache');
      if (strategy === 'offline') return { kind: 'kept' };
    }
    return await this.#fetch(access);
  }

  /** The list of another account or provider is of no use any more. */
  #turnTo({ identity }: CatalogAccess): void {
    if (identity === this.#identity) return;
    const hadOther = this.#identity !== undefined;
    this.#identity = identity;
    this.#isCacheRead = false;
    this.#followed = undefined;
    if (hadOther) this.#replace(BUNDLED_LIST);
  }

  /** A list that is no longer fresh serves as well, until there is a newer one. */
  async #loadCache(access: CatalogAccess): Promise<'fresh' | 'unusable'> {
    this.#isCacheRead = true;
    const { cache } = this.#options;
    const reading = cache && (await this.#timed('load-cache', () => cache.read()));
    if (reading === undefined || reading.kind === 'none') return 'unusable';
    if (reading.kind === 'unreadable') {
      this.#notice('log', reading.reason);
      return 'unusable';
    }
    const { entry } = reading;
    const state = cacheState(entry, {
      nowMs: this.#options.clock.now(),
      ttlMs: this.#ttlMs,
      clientVersion: this.#clientVersion,
      identity: access.identity,
    });
    if (state === 'foreign' || this.#isOff) return 'unusable';
    if (this.#isNewerThan(entry)) return state === 'fresh' ? 'fresh' : 'unusable';
    const parsed = await parse(entry.models);
    if (parsed.kind === 'unusable') {
      this.#notice('log', `The kept list of models is not used: ${parsed.reason}.`);
      return 'unusable';
    }
    this.#apply(parsed.models, access, { origin: 'cache', etag: entry.etag, confirmedAtMs: entry.fetchedAtMs });
    return state === 'fresh' ? 'fresh' : 'unusable';
  }

  get #isFresh(): boolean {
    const { confirmedAtMs } = this.#list;
    return confirmedAtMs !== undefined && this.#ttlMs > 0 && this.#options.clock.now() - confirmedAtMs <= this.#ttlMs;
  }

  /** Whether the list at hand is that of the cache or a later one. */
  #isNewerThan(entry: CachedCatalog): boolean {
    const { confirmedAtMs } = this.#list;
    return confirmedAtMs !== undefined && confirmedAtMs >= entry.fetchedAtMs;
  }

  async #fetch(access: CatalogAccess): Promise<RefreshOutcome> {
    const { fetch } = access;
    if (fetch === undefined) return { kind: 'kept' };
    const known = this.#list.etag;
    const { signal } = this.#closing;
    const fetched = await this.#timed('fetch-update', () => fetch({ knownEtag: known, signal }));
    if (fetched.kind === 'unchanged') {
      if (known !== undefined) await this.#renew(known);
      return this.#succeed('provider');
    }
    const parsed = await parse(fetched.models);
    if (parsed.kind === 'unusable') {
      const message = `The provider's list of models is not used: ${parsed.reason}. The models known before stay.`;
      this.#notice('warning', message);
      return this.#failed(message);
    }
    const confirmedAtMs = this.#options.clock.now();
    this.#apply(parsed.models, access, { origin: 'remote', etag: fetched.etag, confirmedAtMs });
    await this.#keep({
      fetchedAtMs: confirmedAtMs,
      etag: fetched.etag,
      clientVersion: this.#clientVersion,
      identity: access.identity,
      models: fetched.models,
    });
    return this.#succeed('provider');
  }

  async #timed<Result>(step: CatalogTiming['step'], work: () => Promise<Result>): Promise<Result> {
    const { clock, onTiming } = this.#options;
    const startedAtMs = clock.now();
    try {
      return await work();
    } finally {
      onTiming?.({ step, durationMs: clock.now() - startedAtMs });
    }
  }

  #apply(models: ModelList['models'], { isChatgpt }: CatalogAccess, from: Omit<ModelList, 'models'>): void {
    if (!this.#isOff) this.#replace({ ...from, models: mergeCatalog(BUNDLED_LIST.models, models, { isChatgpt }) });
  }

  #replace(list: ModelList): void {
    this.#list = list;
    for (const listener of [...this.#listeners]) listener(list);
  }

  async #follow(etag: string): Promise<void> {
    if (!this.#isCacheRead) await this.#enqueue('offline');
    if (this.#list.etag === etag) {
      const age = this.#options.clock.now() - (this.#list.confirmedAtMs ?? 0);
      if (age >= Math.min(RENEW_AFTER_MS, this.#ttlMs)) await this.#renew(etag);
      return;
    }
    const nowMs = this.#options.clock.now();
    const followed = this.#followed;
    if (this.#isOff || (followed?.etag === etag && nowMs - followed.atMs < CATALOG_TTL_MS)) return;
    this.#followed = { etag, atMs: nowMs };
    await this.#enqueue('online');
  }

  async #renew(etag: string): Promise<void> {
    const fetchedAtMs = this.#options.clock.now();
    this.#list = { ...this.#list, confirmedAtMs: fetchedAtMs };
    const { cache } = this.#options;
    const entry = { etag, fetchedAtMs, identity: this.#identity, clientVersion: this.#clientVersion };
    if (cache !== undefined && !this.#isOff) await this.#writing(() => cache.renew(entry));
  }

  async #keep(entry: CachedCatalog): Promise<void> {
    const { cache } = this.#options;
    if (cache !== undefined && !this.#isOff) await this.#writing(() => cache.write(entry));
  }

  /** One after the other: renewing reads what it writes back. */
  async #writing(write: () => Promise<void>): Promise<void> {
    const turn = this.#lastWrite.then(write);
    this.#lastWrite = turn.catch(() => undefined); // Told below, by the turn itself.
    try {
      await turn;
    } catch (error) {
      this.#notice('log', error instanceof Error ? error.message : 'the list of models could not be kept');
    }
  }

  #succeed(from: 'cache' | 'provider'): RefreshOutcome {
    this.#lastFailure = undefined;
    return { kind: 'fresh', from };
  }

  #fail(error: unknown): RefreshOutcome {
    if (this.#isOff) return { kind: 'off' };
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof ModelError ? ` (${error.code})` : '';
    const message = `The list of models could not be brought up to date: ${reason}${code}`;
    this.#notice('log', message);
    return this.#failed(message);
  }

  #failed(message: string): RefreshOutcome {
    this.#lastFailure = message;
    return { kind: 'failed', message };
  }

  #notice(level: CatalogNotice['level'], message: string): void {
    if (this.#noticed.has(message)) return;
    this.#noticed.add(message);
    this.#options.onNotice?.({ level, message });
  }
}

interface Flight {
  readonly strategy: RefreshStrategy;
  /** Never rejects. */
  readonly settled: Promise<RefreshOutcome>;
}

/** Whether the result of one refresh is also that of the other. */
function covers(running: RefreshStrategy, wanted: RefreshStrategy): boolean {
  return running === wanted || (running === 'online-if-uncached' && wanted === 'offline');
}

/** Loaded when there is a list to read: a run with an API key never needs it. */
async function parse(models: readonly unknown[]): Promise<CatalogReading> {
  return (await loadCatalogParser()).parseModels(models);
}

async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
