import type { ServerResponse } from 'node:http';
import { assertNever } from '@quire/protocol';
import type { Answer, AnswerContext, BodyPosition, Delivery, StopManner, StreamAnswer } from '../script/step.ts';
import { encodeSse } from '../sse/encode.ts';
import { delayFor, writeBody } from './write-body.ts';

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
export async function deliver(response: ServerResponse, answer: Answer, options: DeliveryOptions): Promise<Outcome> {
  const left = new AbortController();
  const onClose = (): void => left.abort();
  response.once('close', onClose);
  if (response.destroyed) left.abort();
  const signal = AbortSignal.any([options.signal, left.signal]);
  try {
    if (answer.delivery.delayMs !== undefined) await delayFor(answer.delivery.delayMs, { signal });
    if (signal.aborted) return 'client-left';
    return await send(response, answer, { ...options, signal });
  } finally {
    response.off('close', onClose);
  }
}

async function send(response: ServerResponse, answer: Answer, options: DeliveryOptions): Promise<Outcome> {
  switch (answer.kind) {
    case 'stream': {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache',
        ...answer.headers,
      });
      response.flushHeaders();
      return sendBody(response, { body: streamBody(answer, options.context), delivery: answer.delivery }, options);
    }
    case 'status': {
      const body = typeof answer.body === 'string' ? Buffer.from(answer.body, 'utf8') : answer.body;
      response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
      return sendBody(response, { body: [body], delivery: answer.delivery }, options);
    }
    case 'stall':
      return breakOff(response, 'stall', options);
    case 'reset':
      return breakOff(response, 'reset', options);
    case 'refuse':
      options.stopListening();
      return 'cut';
    default:
      return assertNever(answer, 'deliver');
  }
}

function streamBody(answer: StreamAnswer, context: AnswerContext): Iterable<Uint8Array> {
  const position = answer.delivery.stop?.position;
  const maxEvents = position !== undefined && 'afterEvents' in position ? { maxEvents: position.afterEvents } : {};
  return encodeSse(answer.parts(context), { lineEnding: answer.lineEnding, ...maxEvents });
}

async function sendBody(
  response: ServerResponse,
  content: { readonly body: Iterable<Uint8Array>; readonly delivery: Delivery },
  options: DeliveryOptions,
): Promise<Outcome> {
  const { stop, chunkBytes } = content.delivery;
  await writeBody(response, content.body, {
    signal: options.signal,
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
    ...maxBytesOf(stop?.position),
  });
  if (options.signal.aborted) return 'client-left';
  if (stop !== undefined && stop.manner !== 'end') return breakOff(response, stop.manner, options);
  // Listened for before `end`: a client may close at once.
  const finished = new Promise<void>((resolve) => response.once('finish', resolve));
  response.end();
  await Promise.race([finished, whenAborted(options.signal)]);
  if (!response.writableFinished) return 'client-left';
  return stop === undefined ? 'sent' : 'cut';
}

function maxBytesOf(position: BodyPosition | undefined): { readonly maxBytes?: number } {
  return position !== undefined && 'afterBytes' in position ? { maxBytes: position.afterBytes } : {};
}

async function breakOff(
  response: ServerResponse,
  manner: Exclude<StopManner, 'end'>,
  options: DeliveryOptions,
): Promise<Outcome> {
  switch (manner) {
    case 'stall':
      await whenAborted(options.signal);
      return 'client-left';
    case 'destroy':
      response.destroy();
      return 'cut';
    case 'reset':
      response.socket?.resetAndDestroy();
      return 'cut';
    default:
      return assertNever(manner, 'breakOff');
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
