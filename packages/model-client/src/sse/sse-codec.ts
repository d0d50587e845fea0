import type { ModelEvent } from '@quire/protocol';
import type { StreamProblem } from '../observer.ts';

/** Where a codec tells what it met. */
export interface CodecReport {
  event(type: string): void;
  problem(problem: StreamProblem): void;
}

/** Turns the data of one event stream into events. One for each response. */
export interface SseCodec {
  /** Appends to `into`. `true`: the response is complete. Throws ModelError when it failed. */
  data(text: string, into: ModelEvent[], report: CodecReport): boolean;
  /** The body ended before a completion. `true`: that is a good end, and its events are in `into`. */
  end(into: ModelEvent[]): boolean;
  /** What went wrong, if the stream said so before it broke off. */
  readonly reportedError: string | undefined;
}
