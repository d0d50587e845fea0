import type { CredentialsSource } from '@quire/auth';
import { type CatalogNotice, type CatalogTiming, ModelCatalog } from '@quire/core';
import { systemClock, systemEntropy } from '@quire/host';
import { createCatalogSource } from '@quire/model-client';
import { createDialer } from '@quire/network';
import { createCatalogCache, readCatalogFile } from '@quire/store';
import type { Environment } from '../environment.ts';
import type { Site } from '../site.ts';
import { VERSION } from '../version.ts';

/** A catalog for as long as somebody needs it. */
export interface CatalogLease {
  readonly catalog: ModelCatalog;
  /** The list is a file of the user's own and never changes. */
  readonly isStatic: boolean;
  /** The last one out ends what is under way, and waits for what is being written. Twice is fine. */
  release(): Promise<void>;
}

interface Entry {
  readonly catalog: ModelCatalog;
  readonly isStatic: boolean;
  readonly listeners: Set<(notice: CatalogNotice) => void>;
  close(): Promise<void>;
}

/** The model catalogs of one program: threads with the same provider and login share one. */
export class ModelCatalogs {
  readonly #environment: Environment;
  readonly #originator: string;
  readonly #userAgent: string;
  readonly #onTiming: (timing: CatalogTiming) => void;
  readonly #entries = new Map<string, Entry>();

  constructor(caller: {
    readonly environment: Environment;
    readonly originator: string;
    readonly userAgent: string;
    /** Must not throw. */
    readonly onTiming?: (timing: CatalogTiming) => void;
  }) {
    this.#environment = caller.environment;
    this.#originator = caller.originator;
    this.#userAgent = caller.userAgent;
    this.#onTiming = caller.onTiming ?? (() => undefined);
  }

  /**
   * Asks, reads and loads nothing by itself, but for a list of the user's own.
   *
   * @param onNotice called synchronously until the release; must not throw
   * @throws ConfigError when `model_catalog_json` names no list
   */
  async acquire(
    { home, config }: Pick<Site, 'home' | 'config'>,
    credentials: CredentialsSource,
    onNotice: (notice: CatalogNotice) => void,
  ): Promise<CatalogLease> {
    const { provider, modelCatalogFile, credentialsStore, forcedWorkspaceIds = null } = config;
    const staticList = modelCatalogFile === undefined ? undefined : await readCatalogFile(modelCatalogFile);
    const key = JSON.stringify([home, provider, modelCatalogFile ?? null, credentialsStore, forcedWorkspaceIds]);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = this.#open({ home, config }, credentials, staticList);
      this.#entries.set(key, entry);
    }
    return this.#lease(key, entry, onNotice);
  }

  #lease(key: string, entry: Entry, onNotice: (notice: CatalogNotice) => void): CatalogLease {
    const listener = (notice: CatalogNotice): void => onNotice(notice); // The same function may come twice.
    entry.listeners.add(listener);
    return {
      catalog: entry.catalog,
      isStatic: entry.isStatic,
      release: async () => {
        if (!entry.listeners.delete(listener) || entry.listeners.size > 0) return;
        this.#entries.delete(key);
        await entry.close();
      },
    };
  }

  #open(
    { home, config }: Pick<Site, 'home' | 'config'>,
    credentials: CredentialsSource,
    staticList: Awaited<ReturnType<typeof readCatalogFile>> | undefined,
  ): Entry {
    const listeners: Entry['listeners'] = new Set();
    const dialer = createDialer({ environment: this.#environment });
    const catalog = new ModelCatalog({
      clock: systemClock,
      clientVersion: VERSION,
      source: createCatalogSource({
        provider: config.provider,
        credentials,
        dialer,
        originator: this.#originator,
        clientVersion: VERSION,
        userAgent: this.#userAgent,
        clock: systemClock,
        entropy: systemEntropy,
        environment: this.#environment,
      }),
      cache: createCatalogCache({ home }),
      ...(staticList === undefined ? {} : { staticList }),
      onTiming: this.#onTiming,
      onNotice: (notice) => {
        for (const listener of [...listeners]) listener(notice);
      },
    });
    return {
      catalog,
      isStatic: staticList !== undefined,
      listeners,
      close: async () => {
        const closed = catalog.close();
        dialer.close();
        await closed;
      },
    };
  }
}
