import { assertNever } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';

/** What is known only when a request is answered. */
export interface AnswerContext {
  readonly responseId: string;
  /** An item id that neither this answer nor the request's input uses yet. `prefix` is the wire's, such as `msg`. */
  nextItemId(prefix: string): string;
}

/** One event of an answer before a dialect (SSE today) spells it. `json` is the event's JSON text. */
export type StreamPart =
  | { readonly kind: 'event'; readonly type: string; readonly json: string }
  /** Goes out as it is; counts as one event. */
  | { readonly kind: 'raw'; readonly bytes: Uint8Array };

/** A place in a body: after so many events or so many bytes. */
export type BodyPosition = { readonly afterEvents: number } | { readonly afterBytes: number };

/**
 * How a body breaks off: `end` finishes it as if nothing had happened, `destroy` closes the connection inside it,
 * `reset` sends a TCP reset (the client may lose bytes it had not read), `stall` falls silent with the socket open.
 */
export type StopManner = 'end' | 'destroy' | 'reset' | 'stall';

/** What happens to an answer on its way. Each field is one fault; absent means none. */
export interface Delivery {
  /** Waits this long before anything is sent. */
  readonly delayMs?: number;
  /** The body goes out in pieces of this many bytes, each its own HTTP chunk. */
  readonly chunkBytes?: number;
  readonly stop?: { readonly manner: StopManner; readonly position: BodyPosition };
}

export type Headers = Readonly<Record<string, string>>;

export interface StreamAnswer {
  readonly kind: 'stream';
  readonly headers: Headers;
  readonly lineEnding: '\n' | '\r' | '\r\n';
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

/** No response at all: `reset` drops the connection, `refuse` also stops the server, `stall` stays silent. */
export interface NoAnswer {
  readonly kind: 'reset' | 'refuse' | 'stall';
  readonly delivery: Delivery;
}

export type Answer = StreamAnswer | StatusAnswer | NoAnswer;

/** Makes the step from the request. What it throws is recorded as a violation and answered with status 500. */
export type StepFunction = (request: RecordedRequest) => Step | Promise<Step>;

export interface ConditionalStep {
  readonly kind: 'when';
  readonly predicate: (request: RecordedRequest) => boolean;
  readonly step: Step;
}

/** The answer to one `POST …/responses`. */
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
      return `a ${step.kind}`;
    default:
      return assertNever(step, 'describeStep');
  }
}
