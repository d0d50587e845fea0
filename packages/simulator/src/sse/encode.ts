import type { StreamPart } from '../script/step.ts';
import type { Block } from '../server/write-body.ts';

/** Encoded events are joined up to about this size, so that a body of 100,000 events is a few hundred writes. */
const BLOCK_CHARS = 64 * 1024;

export type LineEnding = '\n' | '\r' | '\r\n';

export interface EncodeSseOptions {
  readonly lineEnding: LineEnding;
  /** False: only `data:` lines, as chat completions have them. */
  readonly namesEvents: boolean;
}

/** Spells events as server-sent events, in blocks of whole events. */
export function* encodeSse(parts: Iterable<StreamPart>, options: EncodeSseOptions): Generator<Block> {
  const { lineEnding, namesEvents } = options;
  let pending = '';
  for (const part of parts) {
    if (part.kind === 'event') {
      const name = namesEvents ? `event: ${part.type}${lineEnding}` : '';
      pending += `${name}data: ${part.json}${lineEnding}${lineEnding}`;
      if (pending.length < BLOCK_CHARS) continue;
    } else if (part.kind === 'comment') {
      pending += `: ${part.words}${lineEnding}${lineEnding}`;
      continue;
    }
    if (pending !== '') yield Buffer.from(pending, 'utf8');
    pending = '';
    if (part.kind === 'raw') yield part.bytes;
    else if (part.kind === 'precomputed') yield part.sse;
    else if (part.kind === 'pause') yield { pauseMs: part.delayMs };
  }
  if (pending !== '') yield Buffer.from(pending, 'utf8');
}
