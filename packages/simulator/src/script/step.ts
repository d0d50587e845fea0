import { assertNever } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';

/** What is known only when a request is answered. */
export interface AnswerContext {
  readonly responseId: string;
  /** An item id that neither this answer nor the request's input uses yet. `prefix` is the wire's, such as `msg`. */
  nextItemId(prefix: string): string;
}

/** One event of an answer before a dialect (SSE, WebSocket frames, chat) spells it. `json` is the event's JSON text. */
export interface EventPart {
  readonly kind: 'event';
  readonly type: string;
  readonly json: string;
}

/** What an answer is made of. Everything but a pause counts as one event. */
export type StreamPart =
  | EventPart
  /** SSE: these bytes as they are. WebSocket: one text frame that holds them, whether UTF-8 or not. */
  | { readonly kind: 'raw'; readonly bytes: Uint8Array }
  /** SSE: a comment. WebSocket: a ping. */
  | { readonly kind: 'comment'; readonly words: string }
  /** WebSocket only; other dialects send nothing in its place. */
  | { readonly kind: 'frame'; readonly opcode: 'binary' | 'ping' | 'pong'; readonly payload: Uint8Array }
  /** Silence, in milliseconds, with the connection alive. */
  | { readonly kind: 'pause'; readonly delayMs: number }
  /** A run of events with its spelling made ahead. */
  | {
      readonly kind: 'precomputed';
      readonly events: readonly EventPart[];
      readonly sse: Uint8Array;
      readonly frames: Uint8Array;
    };

/** A place in a body: after so many events or so many bytes. */
export type BodyPosition = { readonly afterEvents: number } | { readonly afterBytes: number };

/** What a close frame says. Over HTTP nothing. */
export interface CloseFrame {
  /** 1000 to 4999. */
  readonly code: number;
  /** At most 123 bytes. */
  readonly reason: string;
}

/**
 * How a body breaks off: `end` finishes it as if nothing had happened (over WebSocket with a close frame), `destroy`
 * closes the connection inside it, `reset` sends a TCP reset (the client may lose bytes it had not read), `stall`
 * falls silent with the socket open, `black-hole` does so and answers no ping either.
 */
export type StopManner = 'end' | 'destroy' | 'reset' | 'stall' | 'black-hole';

/** What happens to an answer on its way. Each field is one fault; absent means none. */
export interface Delivery {
  /** Waits this long before anything is sent. */
  readonly delayMs?: number;
  /** The body goes out in pieces of this many bytes; over HTTP each is a chunk of its own. */
  readonly chunkBytes?: number;
  readonly stop?: {
    readonly manner: StopManner;
    readonly position: BodyPosition;
    /** For the manner `end`; code 1000 when absent. */
    readonly close?: CloseFrame;
  };
}

export type Headers = Readonly<Record<string, string>>;

export interface StreamAnswer {
  readonly kind: 'stream';
  readonly headers: Headers;
  readonly lineEnding: '\n' | '\r' | '\r\n';
  /** What ends a chat stream behind its last chunk; `undefined`: nothing. */
  readonly chatDone: string | undefined;
  /** Called once per request; may be lazy. */
  parts(context: AnswerContext): Iterable<StreamPart>;
  readonly delivery: Delivery;
}

export interface StatusAnswer {
  readonly kind: 'status';
  readonly status: number;
  readonly headers: Headers;
  readonly body: string | Uint8Array;
  readonly delivery: Delivery;
}

/**
 * No response at all: `reset` drops the connection, `refuse` also stops the server, `stall` stays silent and
 * `black-hole` answers no ping either.
 */
export interface NoAnswer {
  readonly kind: 'reset' | 'refuse' | 'stall' | 'black-hole';
  readonly delivery: Delivery;
}

export type Answer = StreamAnswer | StatusAnswer | NoAnswer;

/** A WebSocket handshake that succeeds, and how its connection behaves from then on. */
export interface AcceptUpgrade {
  readonly kind: 'accept';
  /** Headers of the 101 response beside those of the handshake. */
  readonly headers: Headers;
  /** False: pings get no answer, from the start. */
  readonly answerPings: boolean;
  /** Milliseconds between the server's own pings; absent: it sends none. */
  readonly pingEveryMs?: number;
  /** What becomes of a client's offer of permessage-deflate; `compress` also deflates what the server sends. */
  readonly deflate: 'decline' | 'accept' | 'compress';
  readonly delivery: Delivery;
}

/** The answer to one WebSocket handshake. `status` (101 aside), `stall`, `reset` and `refuse` refuse it in their way. */
export type HandshakeStep = AcceptUpgrade | StatusAnswer | NoAnswer;

/** Makes the step from the request. What it throws is recorded as a violation and answered with status 500. */
export type StepFunction = (request: RecordedRequest) => Step | Promise<Step>;

export interface ConditionalStep {
  readonly kind: 'when';
  readonly predicate: (request: RecordedRequest) => boolean;
  readonly step: Step;
}

/** The answer to one sampling request, over any transport. */
export type Step = Answer | ConditionalStep | StepFunction;

/** Only a request for which `predicate` holds takes the step; others look further down the script. */
export function when(predicate: (request: RecordedRequest) => boolean, step: Step): ConditionalStep {
  return { kind: 'when', predicate, step };
}

/** The step with its answer changed, also where that answer is made only later. */
export function mapAnswer(step: Step, change: (answer: Answer) => Answer): Step {
  if (typeof step === 'function') return async (request) => mapAnswer(await step(request), change);
  if (step.kind === 'when') return { ...step, step: mapAnswer(step.step, change) };
  return change(step);
}

/** Runs step functions until there is an answer. A condition that reaches this point was already met. */
export async function resolveStep(step: Step, request: RecordedRequest): Promise<Answer> {
  let current = step;
  for (;;) {
    if (typeof current === 'function') current = await current(request);
    else if (current.kind === 'when') current = current.step;
    else return current;
  }
}

/** A few words for messages about a step that was not used. */
export function describeStep(step: Step): string {
  if (typeof step === 'function') return step.name === '' ? 'a step function' : `the step function ${step.name}`;
  switch (step.kind) {
    case 'when':
      return `${describeStep(step.step)} (conditional)`;
    case 'stream':
      return 'a response';
    case 'status':
      return `status ${step.status}`;
    case 'reset':
    case 'refuse':
    case 'stall':
    case 'black-hole':
      return `a ${step.kind}`;
    default:
      return assertNever(step, 'describeStep');
  }
}
