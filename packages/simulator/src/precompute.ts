import type { EventPart, StreamAnswer, StreamPart } from './script/step.ts';
import type { Block } from './server/write-body.ts';
import { encodeSse } from './sse/encode.ts';
import { encodeFrames } from './websocket/encode-frames.ts';

/** Events per block: some hundred KiB of small ones. */
const BLOCK_EVENTS = 1000;

/**
 * Encodes a response now, for SSE and for WebSocket, so that serving it later costs only the writing. For benches.
 *
 * Its ids are then fixed: serve it once per thread, with a `label` of its own. Faults that count events see few
 * large ones; wrap with those that count bytes.
 */
export function precompute(answer: StreamAnswer, options: { readonly label: string }): StreamAnswer {
  let itemCount = 0;
  const context = {
    responseId: `resp_${options.label}`,
    nextItemId: (prefix: string) => `${prefix}_${options.label}_${itemCount++}`,
  };
  const parts: StreamPart[] = [];
  let events: EventPart[] = [];
  const flush = (): void => {
    if (events.length > 0) parts.push(encodeRun(events, answer));
    events = [];
  };
  for (const part of answer.parts(context)) {
    if (part.kind === 'event') {
      events.push(part);
      if (events.length === BLOCK_EVENTS) flush();
    } else {
      flush();
      parts.push(part);
    }
  }
  flush();
  return { ...answer, parts: () => parts };
}

function encodeRun(events: readonly EventPart[], answer: StreamAnswer): StreamPart {
  return {
    kind: 'precomputed',
    events,
    sse: joinBytes(encodeSse(events, { lineEnding: answer.lineEnding, namesEvents: true })),
    frames: joinBytes(encodeFrames(events, { compress: false })),
  };
}

function joinBytes(blocks: Iterable<Block>): Uint8Array {
  return Buffer.concat([...blocks].filter((block): block is Uint8Array => block instanceof Uint8Array));
}
