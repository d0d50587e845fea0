import type { Socket } from 'node:net';
import type { ModelErrorCode } from '@quire/protocol';
import { ModelError } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { connect as connectHttp, REQUEST, sse } from './support.ts';
import { answerEvents, serveSockets } from './ws-support.ts';

type Transport = 'websocket' | 'http';
type Moment = 'before the first event' | 'in the middle of an item' | 'between items' | 'after the last item';
type Fault = 'reset' | 'end' | 'stall' | 'failed response' | 'garbage';

const TRANSPORTS: readonly Transport[] = ['websocket', 'http'];
const MOMENTS: readonly Moment[] = [
  'before the first event',
  'in the middle of an item',
  'between items',
  'after the last item',
];
const FAULTS: readonly Fault[] = ['reset', 'end', 'stall', 'failed response', 'garbage'];
/** Where it is what ends the wait. */
const IDLE_MS = 1_000;
/** For every cell: far from the limits of a client that nobody configured. */
const BOUND_MS = 10_000;

const [created, delta, item, completed] = answerEvents('r', 'text') as [object, object, object, object];
const BEFORE: Readonly<Record<Moment, readonly object[]>> = {
  'before the first event': [],
  'in the middle of an item': [created, delta],
  'between items': [created, delta, item],
  'after the last item': [created, delta, item, { ...item, item: { type: 'reasoning', id: 'rs', summary: [] } }],
};

const EXPECTED: Readonly<Record<Fault, ModelErrorCode>> = {
  reset: 'stream-truncated',
  end: 'stream-truncated',
  stall: 'idle-timeout',
  'failed response': 'response-failed',
  garbage: 'idle-timeout',
};

/** What stands on the wire for a fault; the rest is done to the connection. */
function faultText(fault: Fault): string | undefined {
  if (fault === 'failed response')
    return JSON.stringify({ type: 'response.failed', response: { error: { code: 'odd' } } });
  return fault === 'garbage' ? 'nonsense' : undefined;
}

function cut(fault: Fault, socket: Socket): void {
  if (fault === 'reset') socket.resetAndDestroy();
  if (fault === 'end') socket.end();
}

const cells = TRANSPORTS.flatMap((transport) =>
  MOMENTS.flatMap((moment) => FAULTS.map((fault) => [transport, moment, fault] as const)),
);

describe('every fault at every moment, over both transports', () => {
  test.concurrent.each(cells)(
    '%s, %s: %s is exactly one error within its bound [MATRIX-01]',
    async (transport, moment, fault) => {
      const text = faultText(fault);
      await using server = await serveSockets({
        frame: (peer) => {
          peer.send(...BEFORE[moment]);
          if (text !== undefined) peer.socket.send(text);
          cut(fault, peer.raw);
        },
        post: (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(sse(...BEFORE[moment]) || ': nothing yet\n\n');
          if (text !== undefined) response.write(`data: ${text}\n\n`);
          // The bytes before a reset are only sure to arrive once they have left this process.
          if (response.socket !== null) setImmediate(cut, fault, response.socket);
        },
      });
      using client = connectHttp(server.url, {
        webSocket: transport === 'websocket' ? 'when-supported' : 'off',
        with: {
          supportsWebsockets: true,
          streamMaxRetries: 5,
          ...(EXPECTED[fault] === 'idle-timeout' ? { streamIdleTimeoutMs: IDLE_MS } : {}),
        },
      });
      const errors: unknown[] = [];
      const kinds: string[] = [];
      const startedAt = performance.now();
      try {
        for await (const batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) {
          kinds.push(...batch.map(({ kind }) => kind));
        }
      } catch (error) {
        errors.push(error);
      }
      expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
      expect(errors.map((error) => error instanceof ModelError && [error.code, error.retryable])).toEqual([
        [EXPECTED[fault], true],
      ]);
      expect(kinds.filter((kind) => kind === 'response-end' || kind === 'receipt')).toEqual(['receipt']);
      expect(kinds.filter((kind) => kind === 'item-end').length).toBe(
        BEFORE[moment].filter((event) => 'item' in event).length,
      );
    },
  );

  test.each(TRANSPORTS)('%s: what happens after the completion changes nothing [MATRIX-02]', async (transport) => {
    await using server = await serveSockets({
      frame: (peer) => {
        peer.send(created, delta, item, completed);
        peer.raw.end();
      },
      post: (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(sse(created, delta, item, completed));
        response.write('data: {"type":"response.failed"}\n\n');
        response.socket?.end();
      },
    });
    using client = connectHttp(server.url, {
      webSocket: transport === 'websocket' ? 'when-supported' : 'off',
      with: { supportsWebsockets: true },
    });
    for (let requests = 0; requests < 2; requests += 1) {
      const kinds: string[] = [];
      for await (const batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) {
        kinds.push(...batch.map(({ kind }) => kind));
      }
      expect(kinds.slice(-2)).toEqual(['response-end', 'receipt']);
    }
  });
});
