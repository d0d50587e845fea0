import type { Clock } from '@quire/core';
import type { Credentials, ModelProvider } from '@quire/protocol';
import type { ModelClientObserver } from '../observer.ts';
import type { ZstdCompressor } from './zstd.ts';

/** The part of a request that compression changes. */
export interface CompressibleRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface RequestCompressorOptions {
  readonly provider: ModelProvider;
  readonly clock: Clock;
  readonly observer: ModelClientObserver;
  /** Default: Node's own zstd, else the optional package. */
  readonly load?: () => Promise<ZstdCompressor>;
}

/**
 * Compresses request bodies with zstd, for the first-party provider with ChatGPT credentials only: no other
 * server is known to read them. Where no zstd can be loaded, bodies stay as they are and the observer is told once.
 */
export class RequestCompressor {
  readonly #options: RequestCompressorOptions;
  #compressor: Promise<ZstdCompressor | undefined> | undefined;

  constructor(options: RequestCompressorOptions) {
    this.#options = options;
  }

  /** The request to send. A request that already has a `content-encoding` comes back as it is. */
  async apply<T extends CompressibleRequest>(request: T, credentials: Credentials): Promise<T> {
    const { provider, clock, observer } = this.#options;
    if (provider.name !== 'OpenAI' || credentials.kind !== 'chatgpt') return request;
    if (request.headers['content-encoding'] !== undefined) return request;
    this.#compressor ??= this.#load();
    const compress = await this.#compressor;
    if (compress === undefined) return request;
    const startedAtMs = clock.now();
    const body = await compress(request.body);
    observer.requestCompressed?.({
      preCompressionBytes: request.body.length,
      postCompressionBytes: body.length,
      durationMs: Math.round(clock.now() - startedAtMs),
    });
    return { ...request, headers: { ...request.headers, 'content-encoding': 'zstd' }, body };
  }

  async #load(): Promise<ZstdCompressor | undefined> {
    const { observer, load = loadLazily } = this.#options;
    try {
      return await load();
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : undefined;
      observer.compressionUnavailable?.({
        message: `request compression is off: this Node has no zstd (${process.version}; 22.15 has) and the package @bokuweb/zstd-wasm can not be used: ${reason ?? 'unknown error'}`,
      });
      return undefined;
    }
  }
}

async function loadLazily(): Promise<ZstdCompressor> {
  return await (await import('./zstd.ts')).loadZstd();
}
