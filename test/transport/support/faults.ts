import {
  binaryFrame,
  blackHole,
  closeAfterEvents,
  cutAfterEvents,
  errorEvent,
  event,
  failed,
  incomplete,
  malformedEvent,
  type NoAnswer,
  type Output,
  rawBytes,
  reset,
  respondExactly,
  type StatusAnswer,
  type Step,
  slowChunks,
  stall,
  status,
} from '@quire/simulator';
import type { LineTransport } from './client.ts';
import type { GateFault } from './faulty-gate.ts';

export const MOMENTS = [
  'connect',
  'upgrade or headers',
  'before the first event',
  'inside an item',
  'between items',
  'after the last item',
  'after the end',
] as const;
export type Moment = (typeof MOMENTS)[number];

/** Where in the line a fault sits. */
export type Fault =
  /** Of the connection, below HTTP. */
  | { readonly place: 'gate'; readonly gate: GateFault; readonly tls?: boolean }
  /** The answer to the upgrade and to a POST. */
  | { readonly place: 'answer'; readonly answer: StatusAnswer | NoAnswer; readonly tls?: boolean }
  /** Inside the answer; `events` are those of a whole answer. */
  | { readonly place: 'stream'; readonly step: (events: readonly Output[]) => Step; readonly tls?: boolean };

/** What the client waits for when it can only wait: nothing, the model, or a pong. */
export type Patience = 'none' | 'silence' | 'pong';

export interface FaultKind {
  readonly name: string;
  readonly patience?: Patience;
  /** `undefined`: it can not happen there. */
  at(moment: Moment, transport: LineTransport): Fault | undefined;
  /** Costs too much to be repeated. */
  readonly onlyOnce?: boolean;
}

/** How many events of the answer come before. */
const POSITION: Readonly<Partial<Record<Moment, number>>> = {
  'before the first event': 0,
  'inside an item': 3,
  'between items': 5,
  'after the last item': 8,
  'after the end': 9,
};

/** Larger than what either transport takes as one event: 64 MiB in a body, 100 MiB in a frame. Bytes. */
const TOO_LARGE = { http: 65 * 1024 * 1024, websocket: 101 * 1024 * 1024 } as const;

/** A message, a call, the completion: nine events. `responseId` names the response. */
export function answerEvents(responseId: string): readonly Output[] {
  const message = { type: 'message', role: 'assistant', id: 'msg-1' };
  const call = { type: 'function_call', id: 'fc-1', call_id: 'c1', name: 'shell_command' };
  const argumentText = JSON.stringify({ command: 'echo ran', login: false });
  const delta = (text: string) =>
    event({ type: 'response.output_text.delta', item_id: 'msg-1', output_index: 0, content_index: 0, delta: text });
  return [
    event({ type: 'response.created', response: { id: responseId } }),
    event({ type: 'response.output_item.added', output_index: 0, item: { ...message, content: [] } }),
    delta('Look'),
    delta('ing.'),
    event({
      type: 'response.output_item.done',
      output_index: 0,
      item: { ...message, content: [{ type: 'output_text', text: 'Looking.' }] },
    }),
    event({ type: 'response.output_item.added', output_index: 1, item: { ...call, arguments: '' } }),
    event({ type: 'response.function_call_arguments.delta', item_id: 'fc-1', output_index: 1, delta: argumentText }),
    event({ type: 'response.output_item.done', output_index: 1, item: { ...call, arguments: argumentText } }),
    ...completion(responseId),
  ];
}

/** The answer to the request that carries the command's output: nine events, too. */
export function finalEvents(responseId: string): readonly Output[] {
  const message = { type: 'message', role: 'assistant', id: 'msg-2' };
  const second = { type: 'reasoning', id: 'rs-1' };
  const delta = (text: string) =>
    event({ type: 'response.output_text.delta', item_id: 'msg-2', output_index: 1, content_index: 0, delta: text });
  const summary = [{ type: 'summary_text', text: 'Well.' }];
  return [
    event({ type: 'response.created', response: { id: responseId } }),
    event({ type: 'response.output_item.added', output_index: 0, item: { ...second, summary: [] } }),
    event({
      type: 'response.reasoning_summary_text.delta',
      item_id: 'rs-1',
      output_index: 0,
      summary_index: 0,
      delta: 'We',
    }),
    event({
      type: 'response.reasoning_summary_text.delta',
      item_id: 'rs-1',
      output_index: 0,
      summary_index: 0,
      delta: 'll.',
    }),
    event({ type: 'response.output_item.done', output_index: 0, item: { ...second, summary } }),
    event({ type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } }),
    delta('Done.'),
    event({
      type: 'response.output_item.done',
      output_index: 1,
      item: { ...message, content: [{ type: 'output_text', text: 'Done.' }] },
    }),
    ...completion(responseId),
  ];
}

/** What is on record when a turn went through, and the whole of what it may hold in any case. */
export const WHOLE_RECORD = ['message Looking.', 'call c1', 'output c1', 'reasoning Well.', 'message Done.'];

function completion(responseId: string): readonly Output[] {
  return [event({ type: 'response.completed', response: { id: responseId, usage: null } })];
}

const STREAM_MOMENTS = MOMENTS.slice(2);
const isInStream = (moment: Moment): boolean => STREAM_MOMENTS.includes(moment);

/** A fault of the whole connection at a place of the body. */
const stopping =
  (stop: (eventCount: number, step: Step) => Step, tls = false): FaultKind['at'] =>
  (moment) => {
    const position = POSITION[moment];
    return position === undefined
      ? undefined
      : { place: 'stream', tls, step: (events) => stop(position, respondExactly(...events)) };
  };

/** Something that the server says at a place of the body. `rest`: the answer goes on behind it. */
const saying =
  (what: (transport: LineTransport) => Output, { rest }: { readonly rest: boolean }): FaultKind['at'] =>
  (moment, transport) => {
    const position = POSITION[moment];
    if (position === undefined) return undefined;
    return {
      place: 'stream',
      step: (events) =>
        respondExactly(...events.slice(0, position), what(transport), ...(rest ? events.slice(position) : [])),
    };
  };

/** A status: of the answer itself, and as an error event, which is its spelling over WebSocket. */
const refusing =
  (code: number, error: { readonly type: string; readonly message: string }, headers = {}): FaultKind['at'] =>
  (moment, transport) => {
    if (moment === 'upgrade or headers') {
      return { place: 'answer', answer: status(code, { body: { error }, headers }) };
    }
    if (transport === 'http' || !isInStream(moment)) return undefined;
    return saying(() => errorEvent(error, { status: code, headers }), { rest: false })(moment, transport);
  };

const orAtGate =
  (how: GateFault['how'], inStream: FaultKind['at']): FaultKind['at'] =>
  (moment, transport) => {
    if (moment === 'connect') return { place: 'gate', gate: { when: 'accepted', how } };
    if (moment === 'upgrade or headers') return { place: 'gate', gate: { when: 'asked', how } };
    return inStream(moment, transport);
  };

export const FAULTS: readonly FaultKind[] = [
  { name: 'status 500', at: refusing(/* code */ 500, { type: 'server_error', message: 'Broken.' }) },
  {
    name: 'status 429 with Retry-After',
    at: refusing(/* code */ 429, { type: 'rate_limited', message: 'Slower.' }, { 'retry-after': '1' }),
  },
  { name: 'status 429', at: refusing(/* code */ 429, { type: 'rate_limited', message: 'Slower.' }) },
  { name: 'status 401', at: refusing(/* code */ 401, { type: 'invalid_request_error', message: 'Who are you?' }) },
  {
    name: 'bytes that are no HTTP',
    at: (moment) =>
      moment === 'upgrade or headers' ? { place: 'gate', gate: { when: 'asked', how: 'garbage' } } : undefined,
  },
  {
    name: 'reset',
    at: orAtGate(
      'reset',
      stopping((afterEvents, step) => reset({ afterEvents }, step)),
    ),
  },
  {
    name: 'clean close',
    at: orAtGate(
      'close',
      stopping((eventCount, step) => closeAfterEvents(eventCount, {}, step)),
    ),
  },
  {
    name: 'TLS cut',
    at: (moment, transport) => {
      if (moment === 'connect') return { place: 'gate', gate: { when: 'asked', how: 'close' }, tls: true };
      if (moment === 'upgrade or headers') return { place: 'answer', answer: reset(), tls: true };
      return stopping(cutAfterEvents, /* tls */ true)(moment, transport);
    },
  },
  {
    name: 'silence',
    patience: 'silence',
    at: orAtGate(
      'stall',
      stopping((afterEvents, step) => stall({ afterEvents }, step)),
    ),
  },
  {
    name: 'black hole',
    patience: 'pong',
    // Before the upgrade nobody can tell it from silence, and over HTTP nobody ever can.
    at: (moment, transport) =>
      transport === 'websocket'
        ? stopping((afterEvents, step) => blackHole({ afterEvents }, step))(moment, transport)
        : undefined,
  },
  { name: 'event that is no JSON', at: saying(() => malformedEvent(), { rest: true }) },
  {
    name: 'binary frame',
    at: (moment, transport) =>
      transport === 'websocket' ? saying(() => binaryFrame('?'), { rest: true })(moment, transport) : undefined,
  },
  {
    name: 'no completion',
    patience: 'silence',
    at: (moment) =>
      moment === 'after the last item'
        ? { place: 'stream', step: (events) => respondExactly(...events.slice(0, -1)) }
        : undefined,
  },
  { name: 'failed', at: saying(() => failed({ code: 'server_error', message: 'Broken.' }), { rest: false }) },
  { name: 'incomplete', at: saying(() => incomplete('content_filter'), { rest: false }) },
  {
    name: 'event that is too large',
    onlyOnce: true,
    at: (moment, transport) =>
      moment === 'inside an item'
        ? saying((own) => rawBytes(tooLargeEvent(own)), { rest: true })(moment, transport)
        : undefined,
  },
  {
    name: 'pieces of 7 bytes',
    at: (moment) =>
      moment === 'inside an item'
        ? { place: 'stream', step: (events) => slowChunks(/* chunkBytes */ 7, respondExactly(...events)) }
        : undefined,
  },
];

function tooLargeEvent(transport: LineTransport): Buffer {
  const bytes = Buffer.alloc(TOO_LARGE[transport], 'a');
  if (transport === 'http') bytes.write('data: ');
  return bytes;
}
