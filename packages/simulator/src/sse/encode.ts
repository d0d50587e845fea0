import type { StreamPart } from '../script/step.ts';

/** Encoded events are joined up to about this size, so that a body of 100,000 events is a few hundred writes. */
const BLOCK_CHARS = 64 * 1024;

export type LineEnding = '\n' | '\r' | '\r\n';

/** Spells events as server-sent events, in blocks of whole events. `maxEvents` stops after exactly so many. */
export function* encodeSse(
  parts: Iterable<StreamPart>,
  options: { readonly lineEnding: LineEnding; readonly maxEvents?: number },
): Generator<Uint8Array> {
  const { lineEnding } = options;
  let remaining = options.maxEvents ?? Number.POSITIVE_INFINITY;
  let pending = '';
  if (remaining <= 0) return;
  for (const part of parts) {
    if (part.kind === 'event') {
      pending += `event: ${part.type}${lineEnding}data: ${part.json}${lineEnding}${lineEnding}`;
    }
    if (pending.length >= BLOCK_CHARS || (part.kind === 'raw' && pending !== '')) {
      yield Buffer.from(pending, 'utf8');
      pending = '';
    }
    if (part.kind === 'raw') yield part.bytes;
    remaining -= 1;
    if (remaining <= 0) break;
  }
  if (pending !== '') yield Buffer.from(pending, 'utf8');
}
