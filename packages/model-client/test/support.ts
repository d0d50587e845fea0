import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, type Entropy, type ModelPort, type ModelRequest, type ModelTurn, promptItems } from '@quire/core';
import {
  ModelError,
  type ModelEvent,
  type ModelProvider,
  parseThreadId,
  parseTurnId,
  type ResponseItem,
} from '@quire/protocol';
import { createModelClient, type ModelClientOptions } from '../src/index.ts';

export const THREAD_ID = '019a0000-0000-7000-8000-000000000001';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Requests in the order of their arrival, bodies read. */
  readonly requests: Received[];
  /** Every socket that was ever accepted. */
  readonly sockets: Socket[];
}

export type Handler = (response: ServerResponse, request: Received, index: number) => void;

/** A loopback server; `handle` is called with the body already read. */
export async function serve(
  handle: Handler,
  make: (listener: Parameters<typeof createServer>[1]) => Server = createServer,
): Promise<TestServer> {
  const requests: Received[] = [];
  const sockets: Socket[] = [];
  const server = make((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const received = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      requests.push(received);
      handle(response, received, requests.length - 1);
    });
  });
  server.on('connection', (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const sse = (...events: readonly object[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

export const CREATED = { type: 'response.created', response: { id: 'resp-1' } };
export const completed = (id = 'resp-1') => ({ type: 'response.completed', response: { id, usage: null } });
export const textDelta = (delta: string) => ({ type: 'response.output_text.delta', item_id: 'msg-1', delta });

/** Answers with a whole event stream and ends the body. */
export const answer =
  (...events: readonly object[]): Handler =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(sse(...events));
  };

function provider(baseUrl: string, overrides: Partial<ModelProvider> = {}): ModelProvider {
  return {
    id: 'test',
    name: 'Test',
    baseUrl,
    envKey: undefined,
    envKeyInstructions: undefined,
    bearerToken: undefined,
    queryParams: {},
    httpHeaders: {},
    envHttpHeaders: {},
    requestMaxRetries: 0,
    streamMaxRetries: 0,
    streamIdleTimeoutMs: 20_000,
    requiresOpenaiAuth: false,
    ...overrides,
  };
}

export interface RecordingClock extends Clock {
  readonly delaysMs: number[];
}

/** Sleeps are recorded and over at once. */
export function recordingClock(nowMs = Date.UTC(2026, 1, 3, 12)): RecordingClock {
  const delaysMs: number[] = [];
  return {
    delaysMs,
    now: () => nowMs,
    sleep: (ms, { signal }) => {
      signal.throwIfAborted();
      delaysMs.push(ms);
      return Promise.resolve();
    },
  };
}

const ENTROPY: Entropy = { random: () => 0.5, uuid: () => THREAD_ID };

export function options(
  baseUrl: string,
  overrides: Partial<ModelClientOptions> & { readonly with?: Partial<ModelProvider> } = {},
): ModelClientOptions {
  const threadId = parseThreadId(THREAD_ID);
  if (threadId === undefined) throw new Error('the fixture id is a UUID');
  const { with: providerOverrides, ...rest } = overrides;
  return {
    provider: provider(baseUrl, providerOverrides),
    credentials: { current: () => Promise.resolve({ kind: 'api-key', token: 'key-of-the-test' }) },
    threadId,
    originator: 'quire_test',
    clientVersion: '1.2.3',
    userAgent: 'quire_test/1.2.3 (TestOS 1; x64) none',
    clock: recordingClock(),
    entropy: ENTROPY,
    environment: {},
    ...rest,
  };
}

export interface TestClient extends Disposable {
  readonly port: ModelPort;
  readonly turn: ModelTurn;
}

export function connect(baseUrl: string, overrides: Parameters<typeof options>[1] = {}): TestClient {
  const port = createModelClient(options(baseUrl, overrides));
  return { port, turn: beginTurn(port), [Symbol.dispose]: () => port.close() };
}

export function beginTurn(port: ModelPort, metadata = {}): ModelTurn {
  const turnId = parseTurnId('turn-1');
  if (turnId === undefined) throw new Error('the fixture id is not empty');
  return port.beginTurn({ turnId, metadata });
}

export const REQUEST: ModelRequest = {
  model: 'test-model',
  instructions: 'Be brief.',
  input: promptItems([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }]),
  tools: [],
  parallelToolCalls: false,
  reasoning: undefined,
  verbosity: undefined,
  outputSchema: undefined,
  serviceTier: undefined,
};

/** A request with these items, as they are. */
export const withInput = (...items: readonly ResponseItem[]): ModelRequest => ({
  ...REQUEST,
  input: items as ModelRequest['input'], // what a request may hold is not this package's concern
});

/** All events of a stream, without the receipt at its end. */
export async function run(
  turn: ModelTurn,
  request = REQUEST,
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const batch of turn.stream(request, { signal })) events.push(...batch);
  return withoutReceipt(events);
}

/** The events before a stream failed, and its ModelError. Throws when it did not fail with one. */
export async function runToFailure(
  turn: ModelTurn,
  request = REQUEST,
): Promise<{ events: ModelEvent[]; error: ModelError }> {
  const events: ModelEvent[] = [];
  try {
    for await (const batch of turn.stream(request, { signal: new AbortController().signal })) events.push(...batch);
  } catch (error) {
    if (error instanceof ModelError) return { events: withoutReceipt(events), error };
    throw error;
  }
  throw new Error('the stream was expected to fail');
}

const withoutReceipt = (events: readonly ModelEvent[]): ModelEvent[] =>
  events.filter((event) => event.kind !== 'receipt');

/** Resolves when the socket is closed on this side. */
export function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) throw new Error('no such socket');
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Without the events that come from headers alone. */
export const bodyEvents = (events: readonly ModelEvent[]): ModelEvent[] =>
  events.filter((event) => event.kind !== 'rate-limits');
