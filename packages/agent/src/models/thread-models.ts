import type { CredentialsSource } from '@quire/auth';
import { chooseModel, findModelIn, type ModelKnowledge, unknownModelWarning, withOverrides } from '@quire/core';
import type { ModelInfo } from '@quire/protocol';
import type { Config } from '@quire/store';
import type { Site } from '../site.ts';
import type { CatalogLease, ModelCatalogs } from './model-catalogs.ts';

/**
 * What the tools of a model are made of. It stays as it was first described: other tools would void the beginning of the
 * conversation that the provider keeps.
 */
type ToolShape = Pick<
  ModelInfo,
  'shellType' | 'experimentalTools' | 'applyPatchTool' | 'webSearchTool' | 'supportsOriginalImages'
>;

function toolShapeOf(model: ModelInfo): ToolShape {
  const { shellType, experimentalTools, applyPatchTool, webSearchTool, supportsOriginalImages } = model;
  return { shellType, experimentalTools, applyPatchTool, webSearchTool, supportsOriginalImages };
}

/** What a thread, and those that work for it, know of models. */
export class ThreadModels implements ModelKnowledge {
  readonly #lease: CatalogLease;
  readonly #config: Config;
  readonly #isChatgpt: boolean;
  readonly #closing = new AbortController();
  /** By name, as long as the list is the same: settings with another object are to be resolved anew. */
  readonly #described = new Map<string, ModelInfo>();
  readonly #toolShapes = new Map<string, ToolShape>();
  readonly #told = new Set<string>();
  readonly #unsubscribe: () => void;
  /** Settled when the provider was asked. */
  #asked: Promise<void> = Promise.resolve();
  #isToAsk: boolean;

  private constructor(
    lease: CatalogLease,
    parts: { readonly config: Config; readonly isChatgpt: boolean; readonly isToAsk: boolean },
  ) {
    this.#lease = lease;
    this.#config = parts.config;
    this.#isChatgpt = parts.isChatgpt;
    this.#isToAsk = parts.isToAsk;
    this.#unsubscribe = lease.catalog.onChange(() => this.#described.clear());
  }

  /**
   * Knows what is in the cache, if there is a login with which it was asked for. Sends nothing.
   *
   * @param options.onWarning called synchronously until `close`; must not throw
   * @throws ConfigError when `model_catalog_json` names no list, or the reason of the site's signal
   */
  static async open(
    catalogs: ModelCatalogs,
    site: Site,
    options: { readonly credentials: CredentialsSource; readonly onWarning: (message: string) => void },
  ): Promise<ThreadModels> {
    const { config, signal } = site;
    const { credentials, onWarning } = options;
    const isChatgpt = (await credentials.current({ signal })).kind === 'chatgpt';
    const lease = await catalogs.acquire(site, credentials, ({ level, message }) => {
      if (level === 'warning') onWarning(message);
    });
    try {
      const mayAsk = isChatgpt && !lease.isStatic;
      const outcome = mayAsk ? await lease.catalog.refresh({ strategy: 'offline', signal }) : undefined;
      return new ThreadModels(lease, { config, isChatgpt, isToAsk: mayAsk && outcome?.kind !== 'fresh' });
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** The very same object until something else is known. */
  describe(name: string): ModelInfo {
    const known = this.#described.get(name);
    if (known !== undefined) return known;
    const { modelContextWindow, modelSupportsReasoningSummaries, baseInstructions } = this.#config;
    const model = withOverrides(findModelIn(this.#lease.catalog.current().models, name), {
      contextWindow: modelContextWindow,
      supportsReasoningSummaries: modelSupportsReasoningSummaries,
      baseInstructions,
    });
    const shape = this.#toolShapes.get(name) ?? toolShapeOf(model);
    this.#toolShapes.set(name, shape);
    const described = { ...model, ...shape };
    this.#described.set(name, described);
    return described;
  }

  /** The name that was asked for, as it was written, else the model to begin with. */
  choose(explicit: string | undefined): string {
    return chooseModel(this.#lease.catalog.current().models, { explicit, isChatgpt: this.#isChatgpt });
  }

  noteEtag(etag: string): void {
    this.#lease.catalog.noteEtag(etag);
  }

  /** Has the provider asked in the background, where there is something to ask for. */
  refreshAfter(firstRequest: Promise<void>): void {
    if (!this.#isToAsk) return;
    const { signal } = this.#closing;
    this.#asked = firstRequest
      .then(() => this.#lease.catalog.refresh({ strategy: 'online-if-uncached', signal }))
      .then(
        () => undefined,
        () => undefined, // Only by closing: failures are outcomes.
      )
      .finally(() => {
        this.#isToAsk = false;
      });
  }

  /** Whether a list is on its way that may describe more models. */
  get isLearning(): boolean {
    return this.#isToAsk;
  }

  /**
   * Reports a model that nobody described, once a name and not before the provider was asked. The result has it reported
   * now, if it was not: for when nobody listens later.
   */
  reportUnknown(name: string, report: (message: string) => void): () => void {
    if (this.#told.has(name) || this.describe(name).isFallback !== true) return () => undefined;
    this.#told.add(name);
    let isOver = false;
    const tell = (): void => {
      if (isOver) return;
      isOver = true;
      const warning = unknownModelWarning(this.#lease.catalog.current().models, name);
      if (warning !== undefined) report(warning);
    };
    if (this.isLearning) this.#asked.then(tell, tell);
    else tell();
    return tell;
  }

  /** Ends what is under way and nobody else needs. Twice is fine. Never rejects. */
  close(): Promise<void> {
    this.#closing.abort(new Error('the thread was closed'));
    this.#unsubscribe();
    return this.#lease.release();
  }
}
