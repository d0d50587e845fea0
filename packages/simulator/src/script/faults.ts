/** Faults: steps of their own, or wrappers around a step. */
import { isJsonObject, type JsonObject } from '@quire/protocol';
import { respond } from './respond.ts';
import {
  type BodyPosition,
  type CloseFrame,
  type Delivery,
  type HandshakeStep,
  type Headers,
  mapAnswer,
  type NoAnswer,
  type StatusAnswer,
  type Step,
  type StopManner,
} from './step.ts';
import { TERMINAL_TYPES } from './terminal-types.ts';

export interface StatusOptions {
  readonly headers?: Headers;
  /** An object is sent as JSON, with the matching content type unless `headers` has one. */
  readonly body?: JsonObject | string | Uint8Array;
}

/** An HTTP answer that is no stream. Over an open WebSocket: an `error` event with that status, error and headers. */
export function status(code: number, options: StatusOptions = {}): StatusAnswer {
  const { body = '' } = options;
  const isObject = isJsonObject(body) && !(body instanceof Uint8Array);
  return {
    kind: 'status',
    status: code,
    headers: { 'content-type': isObject ? 'application/json' : 'text/plain; charset=utf-8', ...options.headers },
    body: isObject ? JSON.stringify(body) : body,
    delivery: {},
  };
}

/** Nothing is sent, not even headers, for `delayMs` milliseconds; a handshake is answered that much later. */
export function delay<Kind extends Step | HandshakeStep>(delayMs: number, step: Kind): Kind {
  if (typeof step === 'object' && step.kind === 'accept') return { ...step, delivery: { ...step.delivery, delayMs } };
  // Only the delivery changes, never the kind of step.
  return withDelivery(step as Step, { delayMs }) as Kind;
}

/**
 * The socket stays open and silent: after the given place of `step`'s body, or before any header when no place is
 * given. Over WebSocket pings are still answered.
 */
export function stall(): NoAnswer;
export function stall(position: BodyPosition, step?: Step): Step;
export function stall(position?: BodyPosition, step: Step = respond()): Step {
  return position === undefined ? noAnswer('stall') : withStop(step, 'stall', position);
}

/** Like `stall`, and pings get no answer either: a peer that is gone without a word. */
export function blackHole(): NoAnswer;
export function blackHole(position: BodyPosition, step?: Step): Step;
export function blackHole(position?: BodyPosition, step: Step = respond()): Step {
  return position === undefined ? noAnswer('black-hole') : withStop(step, 'black-hole', position);
}

/** The connection stays open behind the whole answer. Over WebSocket it does so anyway. */
export function keepOpen(step: Step): Step {
  return stall({ afterEvents: Number.POSITIVE_INFINITY }, step);
}

/** The connection is closed inside the body after `byteCount` bytes of it. */
export function cutAfterBytes(byteCount: number, step: Step): Step {
  return withStop(step, 'destroy', { afterBytes: byteCount });
}

/** The connection is closed inside the body after `eventCount` events. */
export function cutAfterEvents(eventCount: number, step: Step): Step {
  return withStop(step, 'destroy', { afterEvents: eventCount });
}

/** The body ends cleanly after `byteCount` bytes, as if that were all. */
export function endAfterBytes(byteCount: number, step: Step): Step {
  return withStop(step, 'end', { afterBytes: byteCount });
}

/** The body ends cleanly after `eventCount` events, as if that were all. */
export function endAfterEvents(eventCount: number, step: Step): Step {
  return withStop(step, 'end', { afterEvents: eventCount });
}

/**
 * A close frame after `eventCount` events; `Infinity` is behind the whole answer. Over HTTP the body ends there.
 */
export function closeAfterEvents(eventCount: number, close: Partial<CloseFrame>, step: Step): Step {
  const position = { afterEvents: eventCount };
  return withDelivery(step, { stop: { manner: 'end', position, close: { code: 1000, reason: '', ...close } } });
}

/** A TCP reset: inside the body of `step` at the given place, or before any header when no place is given. */
export function reset(): NoAnswer;
export function reset(position: BodyPosition, step?: Step): Step;
export function reset(position?: BodyPosition, step: Step = respond()): Step {
  return position === undefined ? noAnswer('reset') : withStop(step, 'reset', position);
}

/** The provider dies: every connection is dropped and new ones are refused. */
export function refuse(): NoAnswer {
  return noAnswer('refuse');
}

/** Everything of a response except the event that ends it; the body ends cleanly. */
export function missingCompletion(step: Step): Step {
  return mapAnswer(step, (answer) =>
    answer.kind === 'stream'
      ? {
          ...answer,
          *parts(context) {
            for (const part of answer.parts(context)) {
              if (part.kind !== 'event' || !TERMINAL_TYPES.has(part.type)) yield part;
            }
          },
        }
      : answer,
  );
}

/** The body goes out in pieces of `chunkBytes` bytes, each its own HTTP chunk. */
export function slowChunks(chunkBytes: number, step: Step): Step {
  return withDelivery(step, { chunkBytes });
}

function noAnswer(kind: NoAnswer['kind']): NoAnswer {
  return { kind, delivery: {} };
}

function withStop(step: Step, manner: StopManner, position: BodyPosition): Step {
  return withDelivery(step, { stop: { manner, position } });
}

function withDelivery(step: Step, delivery: Delivery): Step {
  return mapAnswer(step, (answer) => ({ ...answer, delivery: { ...answer.delivery, ...delivery } }));
}
