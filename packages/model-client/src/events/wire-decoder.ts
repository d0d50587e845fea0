import type { JsonObject, ModelEvent } from '@quire/protocol';

/** What came of one wire event. `skipped`: a known type that lacks what it needs. */
export type DecodeOutcome = 'decoded' | 'completed' | 'skipped';

/** Wire events of one response to `ModelEvent`s. */
export interface WireDecoder {
  /** Appends to `into`. Throws ModelError for `response.failed`, `response.incomplete` and a broken completion. */
  decode(type: string, raw: JsonObject, into: ModelEvent[]): DecodeOutcome;
}
