import { describe, expect, test } from 'vitest';
import {
  cutAfterBytes,
  cutAfterEvents,
  delay,
  endAfterBytes,
  endAfterEvents,
  malformedEvent,
  missingCompletion,
  precompute,
  refuse,
  reset,
  respond,
  Simulator,
  type Step,
  slowChunks,
  stall,
  status,
  text,
  when,
} from '../../src/index.ts';
import { bodyWith, type ClientAnswer, eventsOf, post, send, typesOf } from '../support/client.ts';

async function answerOf(step: Step): Promise<ClientAnswer> {
  await using sim = await Simulator.start({ steps: [step] });
  return await post(sim, bodyWith());
}

const hello = respond(text('hello', { chunks: 5 }));
const FIRST_THREE = ['response.created', 'response.output_item.added', 'response.output_text.delta'];

describe('a fault, seen by the client', () => {
  test('a status comes with its headers and body [SIM-10]', async () => {
    const answer = await answerOf(
      status(/* code */ 503, { headers: { 'retry-after': '2' }, body: { error: { code: 'slow_down' } } }),
    );

    expect([answer.status, answer.headers['retry-after'], answer.headers['content-type']]).toEqual([
      503,
      '2',
      'application/json',
    ]);
    expect(JSON.parse(answer.body.toString())).toEqual({ error: { code: 'slow_down' } });
  });

  test('a delay sends nothing before its time [SIM-11]', async () => {
    const startedAt = performance.now();
    const answer = await answerOf(delay(/* delayMs */ 60, hello));

    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(58);
    expect(typesOf(answer).at(-1)).toBe('response.completed');
  });

  test('a cut after events breaks the connection behind exactly those [SIM-12]', async () => {
    const answer = await answerOf(cutAfterEvents(/* eventCount */ 3, hello));

    expect([typesOf(answer), answer.brokenBy]).toEqual([FIRST_THREE, 'ECONNRESET']);
  });

  test.each([0, 1, 100])(
    'a cut after %i bytes breaks the connection behind exactly those [SIM-12]',
    async (byteCount) => {
      const whole = await answerOf(hello);
      const answer = await answerOf(cutAfterBytes(byteCount, hello));

      expect([answer.body, answer.brokenBy]).toEqual([whole.body.subarray(0, byteCount), 'ECONNRESET']);
    },
  );

  test('an early end finishes the body cleanly [SIM-13]', async () => {
    const byEvents = await answerOf(endAfterEvents(/* eventCount */ 3, hello));
    const byBytes = await answerOf(endAfterBytes(/* byteCount */ 10, hello));

    expect([typesOf(byEvents), byEvents.brokenBy]).toEqual([FIRST_THREE, undefined]);
    expect([byBytes.body.toString(), byBytes.brokenBy]).toEqual(['event: res', undefined]);
  });

  test('a reset before the headers is a reset connection [SIM-14]', async () => {
    await expect(answerOf(reset())).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a reset inside the body breaks it [SIM-14]', async () => {
    const answer = await answerOf(reset({ afterEvents: 2 }, hello));

    expect(answer.brokenBy).toBe('ECONNRESET');
    expect(typesOf(answer)).not.toContain('response.completed');
  });

  test('a stall sends what comes before it and then nothing, until the client leaves [SIM-15]', async () => {
    await using sim = await Simulator.start({ steps: [stall({ afterEvents: 3 }, hello)] });
    const whole = Buffer.byteLength((await answerOf(endAfterEvents(/* eventCount */ 3, hello))).body);
    const leaving = new AbortController();
    let byteCount = 0;
    const answer = await post(sim, bodyWith(), {
      signal: leaving.signal,
      onData: (piece) => {
        byteCount += piece.length;
        if (byteCount >= whole) leaving.abort();
      },
    });

    expect(typesOf(answer)).toEqual(FIRST_THREE);
    expect(await sim.outcome(/* index */ 0)).toBe('client-left');
  });

  test('a stall without a place sends not even headers [SIM-15]', async () => {
    await using sim = await Simulator.start({ steps: [stall()] });
    const leaving = new AbortController();
    const answer = post(sim, bodyWith(), { signal: leaving.signal });
    await sim.request(/* index */ 0);
    leaving.abort();

    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(await sim.outcome(/* index */ 0)).toBe('client-left');
  });

  test('a malformed event stands between good ones [SIM-16]', async () => {
    const answer = await answerOf(respond(malformedEvent('{"broken'), text('after')));

    expect(eventsOf(answer)[1]).toBe('{"broken');
    expect(typesOf(answer).at(-1)).toBe('response.completed');
  });

  test('a missing completion ends the body without its last event [SIM-17]', async () => {
    const answer = await answerOf(missingCompletion(respond(text('hello'))));

    expect([typesOf(answer).at(-1), answer.brokenBy]).toEqual(['response.output_item.done', undefined]);
  });

  test('slow chunks are pieces of that many bytes [SIM-18]', async () => {
    const whole = await answerOf(hello);
    const answer = await answerOf(slowChunks(/* chunkBytes */ 7, hello));

    expect(answer.body).toEqual(whole.body);
    expect(new Set(answer.pieceSizes.slice(0, -1))).toEqual(new Set([7]));
  });

  test('a refusing provider drops the request and takes no new connection [SIM-19]', async () => {
    await using sim = await Simulator.start({ steps: [refuse()] });

    await expect(post(sim, bodyWith())).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(send(`${sim.url}/models`, /* body */ undefined, { method: 'GET' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test('faults wrap each other, step functions and conditions alike [SIM-20]', async () => {
    const conditional = when(
      () => true,
      async () => hello,
    );
    const answer = await answerOf(
      delay(/* delayMs */ 1, slowChunks(/* chunkBytes */ 5, endAfterBytes(/* byteCount */ 12, conditional))),
    );

    expect([answer.body.length, answer.pieceSizes]).toEqual([12, [5, 5, 2]]);
  });

  test('a precomputed response is the same bytes under its own ids [SIM-05]', async () => {
    const answer = await answerOf(precompute(hello, { label: 'big' }));

    expect(answer.body.toString()).toBe(
      (await answerOf(hello)).body.toString().replaceAll('resp_0', 'resp_big').replaceAll('msg_0_0', 'msg_big_0'),
    );
  });
});
