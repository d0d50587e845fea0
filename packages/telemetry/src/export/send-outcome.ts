/** How a collector took a message. */
export type SendOutcome =
  /** `rejected`: records that it took no part of; they are not to be sent again. */
  | { readonly kind: 'taken'; readonly rejected: number }
  /** The same message may be taken later. */
  | { readonly kind: 'later'; readonly afterMs: number | undefined; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** The way to one collector for one kind of records. */
export interface Courier {
  /** Rejects only with the reason of the signal. */
  send(message: Buffer, options: { readonly signal: AbortSignal }): Promise<SendOutcome>;
}

/** Longest wait for a collector's answer. Source: the default of OTLP exporters. */
export const ANSWER_TIMEOUT_MS = 10_000;
/** What a collector has to say is short. */
export const MAX_ANSWER_BYTES = 64 * 1024;
