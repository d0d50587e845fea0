import { isJsonObject, type JsonObject, type ModelError, type ModelEvent, stringAt } from '@quire/protocol';
import type { WireDecoder } from '../events/wire-decoder.ts';
import type { CodecReport, SseCodec } from './sse-codec.ts';

/** Events of the Responses API: JSON with a `type`. */
export class ResponsesCodec implements SseCodec {
  readonly #decoder: WireDecoder;
  readonly #refusalIn: (event: JsonObject) => ModelError | undefined;
  #reportedError: string | undefined;

  /** `refusalIn` gives the error of an `error` event that ends the response; others are for the end of the body. */
  constructor(decoder: WireDecoder, options: { readonly refusalIn: (event: JsonObject) => ModelError | undefined }) {
    this.#decoder = decoder;
    this.#refusalIn = options.refusalIn;
  }

  get reportedError(): string | undefined {
    return this.#reportedError;
  }

  data(text: string, into: ModelEvent[], report: CodecReport): boolean {
    let raw: unknown;
    try {
      raw = JSON.parse(text);
    } catch {
      // Skipped and reported, as the peer does; `[DONE]` of other dialects ends up here too.
      report.problem({ kind: 'not-json', type: undefined });
      return false;
    }
    const type = isJsonObject(raw) ? raw['type'] : undefined;
    if (!isJsonObject(raw) || typeof type !== 'string') {
      report.problem({ kind: 'no-type', type: undefined });
      return false;
    }
    report.event(type);
    if (type === 'error') {
      const refusal = this.#refusalIn(raw);
      if (refusal !== undefined) throw refusal;
      this.#reportedError = errorText(raw);
    }
    const outcome = this.#decoder.decode(type, raw, into);
    if (outcome === 'skipped') report.problem({ kind: 'missing-fields', type });
    return outcome === 'completed';
  }

  end(): boolean {
    return false;
  }
}

function errorText(raw: JsonObject): string {
  const error = raw['error'];
  const message = isJsonObject(error) ? stringAt(error, 'message') : stringAt(raw, 'message');
  return `the provider sent an error event: ${(message ?? 'no message').slice(0, 1000)}`;
}
