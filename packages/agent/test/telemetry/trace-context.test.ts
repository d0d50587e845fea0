import { objectAt, stringAt } from '@quire/protocol';
import { respond, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { Scene } from './scene.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the provider is told the trace context', () => {
  test('of the request over HTTP, the same with each attempt [TEL-20]', async () => {
    await using scene = await Scene.set({
      steps: [status(/* code */ 503), respond(text('One.')), respond(text('Two.'))],
    });
    await scene.run(['one', 'two']);

    const requests = scene.collector.spans.filter(({ name }) => name === 'model.request');
    const [first, second] = requests.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`);
    expect(scene.simulator.requests.map(({ headers }) => headers['traceparent'])).toEqual([first, first, second]);
  });

  test('of the request over WebSocket, in its frame [TEL-21]', async () => {
    await using scene = await Scene.set({
      steps: [respond(text('One.'))],
      provider: ',supports_websockets=true',
    });
    await scene.run(['one']);

    const [span] = scene.collector.spans.filter(({ name }) => name === 'model.request');
    const frame = scene.simulator.requests.at(-1);
    expect(frame?.transport).toBe('websocket');
    expect(stringAt(objectAt(frame?.body ?? {}, 'client_metadata') ?? {}, 'ws_request_header_traceparent')).toBe(
      `00-${span?.traceId}-${span?.spanId}-01`,
    );
    expect(scene.collector.spans.map(({ name }) => name)).not.toContain('model.attempt');
    expect(scene.collector.total('codex.websocket.request')).toBeGreaterThan(0);
  });

  test('not at all while only metrics and logs are exported [TEL-22]', async () => {
    await using scene = await Scene.set({ steps: [respond(text('One.'))] });
    const { url } = scene.collector;
    await scene.run(
      ['one'],
      [`otel.exporter={otlp-http={endpoint="${url}",protocol="json"}}`, 'otel.trace_exporter="none"'],
    );
    expect(scene.simulator.requests[0]?.headers['traceparent']).toBe(undefined);
    expect([scene.collector.spans, scene.collector.logs.length > 0]).toEqual([[], true]);
  });
});

describe('a program that is part of a trace', () => {
  test('goes on with the one that TRACEPARENT names, state included [TEL-23]', async () => {
    const environment = { PATH: process.env['PATH'], TRACEPARENT: PARENT, TRACESTATE: 'vendor=value' };
    await using scene = await Scene.set({ steps: [respond(text('One.'))], quire: { environment } });
    await scene.run(['one']);

    const [start] = scene.collector.spans.filter(({ name }) => name === 'thread.start');
    expect([start?.traceId, start?.parentSpanId]).toEqual(['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']);
    expect(scene.simulator.requests[0]?.headers).toMatchObject({
      traceparent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/),
      tracestate: 'vendor=value',
    });
  });

  test('records no spans for a trace that nobody records, and passes it on [TEL-24]', async () => {
    const environment = { PATH: process.env['PATH'], TRACEPARENT: PARENT.replace(/01$/, '00') };
    await using scene = await Scene.set({ steps: [respond(text('One.'))], quire: { environment } });
    await scene.run(['one']);
    expect(scene.collector.spans).toEqual([]);
    expect(scene.simulator.requests[0]?.headers['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-.*-00$/);
  });

  test.each([
    '',
    'nonsense',
    PARENT.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    `ff${PARENT.slice(2)}`,
  ])('begins a trace of its own when TRACEPARENT is %j [TEL-23]', async (traceparent) => {
    const environment = { PATH: process.env['PATH'], TRACEPARENT: traceparent };
    await using scene = await Scene.set({ steps: [respond(text('One.'))], quire: { environment } });
    await scene.run(['one']);
    const [start] = scene.collector.spans.filter(({ name }) => name === 'thread.start');
    expect([start?.parentSpanId, scene.collector.violations]).toEqual([undefined, []]);
  });
});
