import { assertNever } from '@quire/protocol';
import type { Answer, AnswerContext, BodyPosition, Delivery, StopManner, StreamAnswer } from '../script/step.ts';
import { takeParts } from '../script/take-parts.ts';
import type { AnswerLine } from './answer-line.ts';
import { type Block, delayFor, writeBody } from './write-body.ts';

/**
 * What became of an answer: `sent` whole, broken off by a fault of the script (`cut`), or given up by the client
 * (`client-left`), also while the server stalled.
 */
export type Outcome = 'sent' | 'cut' | 'client-left';

export interface DeliveryOptions {
  readonly context: AnswerContext;
  /** Drops every connection and refuses new ones. */
  readonly stopListening: () => void;
  /** Fires when the simulator closes. */
  readonly signal: AbortSignal;
}

/** Sends one answer with its faults. Resolves when nothing more will be sent; rejects only for a throwing script. */
export async function deliver(line: AnswerLine, answer: Answer, options: DeliveryOptions): Promise<Outcome> {
  const left = new AbortController();
  const forget = line.onClosed(() => left.abort());
  if (line.isClosed) left.abort();
  const signal = AbortSignal.any([options.signal, left.signal]);
  try {
    if (answer.delivery.delayMs !== undefined) await delayFor(answer.delivery.delayMs, { signal });
    if (signal.aborted) return 'client-left';
    return await send(line, answer, { ...options, signal });
  } finally {
    forget();
  }
}

async function send(line: AnswerLine, answer: Answer, options: DeliveryOptions): Promise<Outcome> {
  switch (answer.kind) {
    case 'stream':
      await writeBody(line.sink, line.startStream(answer), { signal: options.signal });
      return sendBody(line, { body: streamBody(line, answer, options.context), delivery: answer.delivery }, options);
    case 'status':
      return sendBody(line, { body: line.startStatus(answer), delivery: answer.delivery }, options);
    case 'stall':
    case 'reset':
    case 'black-hole':
      return breakOff(line, answer.kind, options);
    case 'refuse':
      options.stopListening();
      return 'cut';
    default:
      return assertNever(answer, 'deliver');
  }
}

function streamBody(line: AnswerLine, answer: StreamAnswer, context: AnswerContext): Iterable<Block> {
  const position = answer.delivery.stop?.position;
  const parts = line.translate(answer, answer.parts(context));
  const isCounted = position !== undefined && 'afterEvents' in position;
  return line.encode(answer, isCounted ? takeParts(parts, position.afterEvents) : parts);
}

async function sendBody(
  line: AnswerLine,
  content: { readonly body: Iterable<Block>; readonly delivery: Delivery },
  options: DeliveryOptions,
): Promise<Outcome> {
  const { stop, chunkBytes } = content.delivery;
  await writeBody(line.sink, content.body, {
    signal: options.signal,
    ...(chunkBytes === undefined ? {} : { chunkBytes, isolatesPieces: line.isolatesPieces }),
    ...maxBytesOf(stop?.position),
  });
  if (options.signal.aborted) return 'client-left';
  if (stop !== undefined && stop.manner !== 'end') return breakOff(line, stop.manner, options);
  const isWhole = stop === undefined;
  const wasHandedOver = await line.end({ isWhole, close: stop?.close, signal: options.signal });
  if (!wasHandedOver) return 'client-left';
  return isWhole ? 'sent' : 'cut';
}

function maxBytesOf(position: BodyPosition | undefined): { readonly maxBytes?: number } {
  return position !== undefined && 'afterBytes' in position ? { maxBytes: position.afterBytes } : {};
}

async function breakOff(
  line: AnswerLine,
  manner: Exclude<StopManner, 'end'>,
  options: DeliveryOptions,
): Promise<Outcome> {
  switch (manner) {
    case 'black-hole':
    case 'stall':
      if (manner === 'black-hole') line.mute();
      await whenAborted(options.signal);
      return 'client-left';
    case 'destroy':
      line.destroy();
      return 'cut';
    case 'reset':
      line.reset();
      return 'cut';
    default:
      return assertNever(manner, 'breakOff');
  }
}

export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
