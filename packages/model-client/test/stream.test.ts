import type { ServerResponse } from 'node:http';
import type { ModelEvent } from '@quire/protocol';
import { expect, test } from 'vitest';
import type { StreamPoll, StreamProblem } from '../src/index.ts';
import {
  answer,
  beginTurn,
  bodyEvents,
  CREATED,
  closed,
  completed,
  connect,
  REQUEST,
  run,
  runToFailure,
  serve,
  sse,
  textDelta,
} from './support.ts';

const open = (response: ServerResponse, ...events: readonly object[]): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(sse(...events));
};

const itemDone = (text: string) => ({
  type: 'response.output_item.done',
  item: { type: 'message', id: 'msg-1', role: 'assistant', content: [{ type: 'output_text', text }] },
});
const MESSAGE_END: ModelEvent = {
  kind: 'item-end',
  item: { type: 'message', id: 'msg-1', role: 'assistant', content: [{ type: 'output_text', text: 'Grüße' }] },
};
const END: ModelEvent = { kind: 'response-end', responseId: 'resp-1', usage: undefined, endTurn: undefined };

test('a stream gives its events in order and ends after the completion [STREAM-01]', async () => {
  await using server = await serve(answer(CREATED, textDelta('Grüße'), itemDone('Grüße'), completed()));
  using client = connect(server.url);
  expect(bodyEvents(await run(client.turn))).toEqual([
    { kind: 'response-start', responseId: 'resp-1' },
    { kind: 'text-delta', itemId: 'msg-1', delta: 'Grüße' },
    MESSAGE_END,
    END,
  ]);
});

test('requests of a thread use one socket, also when the reader leaves at the completion [STREAM-02]', async () => {
  await using server = await serve(answer(CREATED, completed()));
  using client = connect(server.url);
  for (let count = 0; count < 3; count += 1) {
    for await (const batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) {
      if (batch.some(({ kind }) => kind === 'response-end')) break;
    }
    // The end of the body arrives with the next turn of the event loop or two.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await run(beginTurn(client.port));
  expect([server.requests.length, server.sockets.length]).toEqual([4, 1]);
});

test('a completion ends the stream although the server keeps the body open; its socket is then destroyed [STREAM-03]', async () => {
  await using server = await serve((response) => open(response, CREATED, completed(), textDelta('late')));
  using client = connect(server.url);
  expect(bodyEvents(await run(client.turn)).at(-1)).toEqual(END);
  await closed(server.sockets[0]);
});

test('a failure is delivered at once although the server keeps the body open [STREAM-04]', async () => {
  const failed = { type: 'response.failed', response: { error: { code: 'server_error', message: 'boom' } } };
  await using server = await serve((response) => open(response, CREATED, failed, completed()));
  using client = connect(server.url);
  const { events, error } = await runToFailure(client.turn);
  expect(bodyEvents(events)).toEqual([{ kind: 'response-start', responseId: 'resp-1' }]);
  expect([error.code, error.message, error.retryable]).toEqual(['response-failed', 'boom', true]);
});

test('cutting the answer at every byte yields a prefix of its events and then a retryable error [STREAM-05]', async () => {
  const text = sse(
    CREATED,
    textDelta('ü1'),
    {
      type: 'response.output_item.done',
      item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'ü1' }] },
    },
    completed(),
  );
  const bytes = Buffer.from(text);
  await using server = await serve((response, _request, cut) => {
    response.writeHead(200, { 'content-length': String(bytes.length) });
    response.write(bytes.subarray(0, cut), () => {
      if (cut % 2 === 0) response.socket?.end();
      else response.socket?.resetAndDestroy();
    });
  });
  using client = connect(server.url);
  const whole = bodyEvents(
    await (async () => {
      await using complete = await serve((response) => response.end(bytes));
      using other = connect(complete.url);
      return await run(other.turn);
    })(),
  );
  expect(whole).toHaveLength(4);
  const lengths = new Set<number>();
  for (let cut = 0; cut < bytes.length; cut += 1) {
    const { events, error } = await runToFailure(client.turn);
    const got = bodyEvents(events);
    expect(got).toEqual(whole.slice(0, got.length));
    // A reset may overtake the bytes before it; an orderly close may not.
    if (cut % 2 === 0) lengths.add(got.length);
    if (events.length > 0)
      expect([error.code, error.message, error.retryable]).toEqual([
        'stream-truncated',
        'stream closed before response.completed',
        true,
      ]);
    else expect([error.code, error.retryable]).toEqual(['connection-failed', true]);
  }
  expect(lengths).toEqual(new Set([0, 1, 2, 3]));
});

test('a body that ends properly but without a completion is a truncated stream, with what the server said as its cause [STREAM-05]', async () => {
  await using server = await serve(answer(CREATED, { type: 'error', error: { message: 'shutting down' } }));
  using client = connect(server.url);
  const { error } = await runToFailure(client.turn);
  expect([error.code, error.message, error.retryable]).toEqual([
    'stream-truncated',
    'stream closed before response.completed',
    true,
  ]);
  expect(error.cause).toEqual(new Error('the provider sent an error event: shutting down'));
});

test('silence is an error after the idle time, comments do not count as a sign of life [STREAM-06]', async () => {
  await using server = await serve((response) => {
    open(response, CREATED);
    const beat = setInterval(() => response.write(': keep-alive\n\n'), 5);
    response.on('close', () => clearInterval(beat));
  });
  using client = connect(server.url, { with: { streamIdleTimeoutMs: 1_000 } });
  const { events, error } = await runToFailure(client.turn);
  expect(bodyEvents(events)).toEqual([{ kind: 'response-start', responseId: 'resp-1' }]);
  expect([error.code, error.message, error.retryable]).toEqual([
    'idle-timeout',
    'the stream was silent for 1000 ms',
    true,
  ]);
  await closed(server.sockets[0]);
});

test('events keep a stream alive beyond the idle time [STREAM-06]', async () => {
  await using server = await serve((response) => {
    open(response, CREATED);
    let count = 0;
    const beat = setInterval(() => {
      count += 1;
      response.write(sse(count < 8 ? textDelta('x') : completed()));
      if (count === 8) clearInterval(beat);
    }, 400);
  });
  using client = connect(server.url, { with: { streamIdleTimeoutMs: 2_000 } });
  expect(bodyEvents(await run(client.turn)).at(-1)).toEqual(END);
});

test('a server that never answers is given up after the idle time, without another attempt at the same request [STREAM-07]', async () => {
  await using server = await serve(() => undefined);
  using client = connect(server.url, { with: { streamIdleTimeoutMs: 1_000, requestMaxRetries: 4 } });
  const { error } = await runToFailure(client.turn);
  expect([error.code, error.message, error.retryable]).toEqual([
    'idle-timeout',
    `127.0.0.1:${server.port} sent no response within 1000 ms`,
    true,
  ]);
  expect(server.requests).toHaveLength(1);
  await closed(server.sockets[0]);
});

test('aborting rejects with the reason and closes the socket at once, wherever it happens [STREAM-08]', async () => {
  const reason = new Error('enough');
  for (const when of ['before headers', 'while waiting', 'with events unread']) {
    const controller = new AbortController();
    await using server = await serve((response) => {
      if (when === 'before headers') controller.abort(reason);
      else open(response, CREATED);
    });
    using client = connect(server.url);
    const reader = client.turn.stream(REQUEST, { signal: controller.signal })[Symbol.asyncIterator]();
    const read = async (): Promise<void> => {
      for (;;) {
        const { done, value } = await reader.next();
        if (done === true) return;
        if (when === 'with events unread' || value.some(({ kind }) => kind === 'response-start'))
          controller.abort(reason);
      }
    };
    await expect(read()).rejects.toBe(reason);
    await closed(server.sockets[0]);
  }
});

test('aborting closes the socket although nobody is reading [STREAM-08]', async () => {
  await using server = await serve((response) => open(response, CREATED));
  using client = connect(server.url);
  const controller = new AbortController();
  const reader = client.turn.stream(REQUEST, { signal: controller.signal })[Symbol.asyncIterator]();
  await reader.next();
  controller.abort(new Error('enough'));
  await closed(server.sockets[0]);
  await expect(reader.next()).rejects.toThrow('enough');
});

test('a signal that fired before the start sends nothing [STREAM-08]', async () => {
  await using server = await serve(answer(completed()));
  using client = connect(server.url);
  await expect(run(client.turn, REQUEST, AbortSignal.abort(new Error('early')))).rejects.toThrow('early');
  expect(server.requests).toEqual([]);
});

test('leaving the iteration closes the socket at once [STREAM-09]', async () => {
  await using server = await serve((response) => open(response, CREATED));
  using client = connect(server.url);
  for await (const _batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) break;
  await closed(server.sockets[0]);
});

test('closing the client rejects what is in flight and closes its socket; closing twice is fine [STREAM-10]', async () => {
  await using server = await serve((response) => {
    open(response, CREATED);
    client.port.close();
  });
  const client = connect(server.url);
  const { error } = await runToFailure(client.turn);
  expect([error.code, error.retryable, error.message]).toEqual([
    'connection-failed',
    false,
    'the model client was closed',
  ]);
  client.port.close();
  await closed(server.sockets[0]);
  expect((await runToFailure(client.turn)).error.message).toBe('the model client is closed');
});

test('a reader that is slow holds the server back and misses nothing [STREAM-11]', async () => {
  const total = 3000;
  const delta = 'x'.repeat(8000);
  let finishedWriting = false;
  await using server = await serve((response) => {
    open(response, CREATED);
    let sent = 0;
    const write = (): void => {
      while (sent < total) {
        sent += 1;
        if (!response.write(sse(textDelta(delta)))) {
          response.once('drain', write);
          return;
        }
      }
      finishedWriting = true;
      response.end(sse(completed()));
    };
    write();
  });
  using client = connect(server.url);
  let deltas = 0;
  let finishedEarly: boolean | undefined;
  for await (const batch of client.turn.stream(REQUEST, { signal: new AbortController().signal })) {
    if (finishedEarly === undefined && batch.some(({ kind }) => kind === 'text-delta')) {
      // Long enough for a server that is not held back: 24 MB on loopback take a fraction of it.
      await new Promise((resolve) => setTimeout(resolve, 200));
      finishedEarly = finishedWriting;
    }
    deltas += batch.filter(({ kind }) => kind === 'text-delta').length;
  }
  expect([deltas, finishedEarly]).toEqual([total, false]);
});

test('what can not be understood is skipped and reported, the stream goes on [STREAM-12]', async () => {
  await using server = await serve((response) => {
    response.writeHead(200);
    response.end(
      `data: [DONE]\n\ndata: 7\n\n${sse({ no: 'type' }, { type: 'response.output_item.done', item: 1 }, completed())}`,
    );
  });
  const problems: StreamProblem[] = [];
  const polls: StreamPoll['result'][] = [];
  const attempts: (number | undefined)[] = [];
  using client = connect(server.url, {
    observer: {
      streamProblem: (problem) => problems.push(problem),
      streamPoll: (poll) => polls.push(poll.result),
      requestAttempt: (attempt) => attempts.push(attempt.status),
    },
  });
  expect(bodyEvents(await run(client.turn))).toEqual([END]);
  expect(problems).toEqual([
    { kind: 'not-json', type: undefined },
    { kind: 'no-type', type: undefined },
    { kind: 'no-type', type: undefined },
    { kind: 'missing-fields', type: 'response.output_item.done' },
  ]);
  expect(polls).toEqual(['parse-error', 'parse-error', 'parse-error', 'event', 'event']);
  expect(attempts).toEqual([200]);
});

test.each([
  ['text/html; charset=utf-8', 'a web page (text/html)'],
  ['application/json', 'one JSON document (application/json)'],
])('a good status with %s is a wrong address, said at once and not tried again [STREAM-40]', async (type, what) => {
  await using server = await serve((response) => {
    response.writeHead(200, { 'content-type': type, 'x-request-id': 'req-9' });
    response.write('<html>');
  });
  using client = connect(server.url);

  const { error } = await runToFailure(client.turn);

  expect(error).toMatchObject({ code: 'stream-protocol', retryable: false, httpStatus: 200, requestId: 'req-9' });
  expect(error.message).toBe(
    `${server.url}/responses answered with ${what} instead of a stream; check base_url, and whether a network login page is in between`,
  );
  expect(server.requests.length).toBe(1);
});
