import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { rehearse, respond, Simulator, SimulatorError, stall, status, text, when } from '../src/index.ts';
import { bodyWith, itemsOf, post, send, userMessage } from './support/client.ts';

const problemsOf = async (closing: Promise<void>): Promise<readonly string[]> => {
  try {
    await closing;
    return [];
  } catch (error) {
    return error instanceof SimulatorError ? error.problems : [String(error)];
  }
};

describe('the simulator', () => {
  test('records each request whole [SIM-40]', async () => {
    await using sim = await Simulator.start({ steps: [respond()] });
    const call = { type: 'function_call', call_id: 'c', name: 'n', arguments: '{}' };
    const output = { type: 'function_call_output', call_id: 'c', output: 'done' };
    const body = bodyWith({ input: [call, output] });
    const before = Date.now();

    await post(sim, body, { headers: { 'x-mine': 'yes' } });

    const request = await sim.request(/* index */ 0);
    expect(sim.requests).toEqual([request]);
    expect({
      ...request,
      headers: request.headers['x-mine'],
      receivedAtMs: request.receivedAtMs >= before - 1,
      bytesReceived: request.bytesReceived > request.rawBody.length,
    }).toEqual({
      index: 0,
      transport: 'http',
      connection: 0,
      method: 'POST',
      path: '/v1/responses',
      headers: 'yes',
      rawBody: Buffer.from(JSON.stringify(body)),
      body,
      input: [call, output],
      inheritedItems: 0,
      toolOutputs: [{ callId: 'c', output: 'done' }],
      receivedAtMs: true,
      bytesReceived: true,
    });
  });

  test('lets a test wait for the n-th and for a matching request [SIM-41]', async () => {
    await using sim = await Simulator.start({ steps: [respond(), respond()] });
    const second = sim.request(/* index */ 1);
    const matching = sim.waitFor((request) => request.body['model'] === 'special');

    await post(sim, bodyWith());
    await post(sim, bodyWith({ model: 'special' }));

    expect([(await second).index, (await matching).index]).toEqual([1, 1]);
  });

  test('a wait ends with its signal, its time or the simulator [SIM-42]', async () => {
    const sim = await Simulator.start();
    const reason = new Error('enough');
    const aborting = new AbortController();
    const aborted = sim.request(/* index */ 0, { signal: aborting.signal });
    aborting.abort(reason);
    const closed = sim.request(/* index */ 0);
    const late = sim.request(/* index */ 0, { timeoutMs: 1 });

    await expect(aborted).rejects.toBe(reason);
    await expect(late).rejects.toMatchObject({ code: 'wait-timeout' });
    const closing = expect(closed).rejects.toMatchObject({ code: 'closed' });
    await sim.stop();
    await closing;
  });

  test('closing reports unused steps, unexpected requests and violations, once [SIM-43]', async () => {
    const sim = await Simulator.start({ steps: [respond(), when(() => false, respond())] });
    await post(sim, bodyWith());
    const surplus = await post(sim, bodyWith());
    const elsewhere = await send(`${sim.url}/nowhere`, /* body */ undefined, { method: 'GET' });
    const broken = await post(sim, bodyWith({ stream: false }));

    expect([surplus.status, elsewhere.status, broken.status]).toEqual([400, 404, 400]);
    expect(await problemsOf(sim.close())).toEqual([
      "request 2: the body's stream must be true",
      'unexpected request 1: no step is left for it',
      'unexpected GET /v1/nowhere',
      'step 1 (a response (conditional)) was not used',
    ]);
    expect(await problemsOf(sim.close())).toEqual([]);
  });

  test('stopping never judges, and closing never waits for a silent client [SIM-44]', async () => {
    const sim = await Simulator.start({ steps: [stall(), respond()] });
    const hanging = post(sim, bodyWith()).catch((error: NodeJS.ErrnoException) => error.code);
    const idle = connect(sim.port, '127.0.0.1');
    const idleClosed = new Promise((resolve) => idle.once('close', resolve));
    await sim.request(/* index */ 0);

    await sim.stop();

    expect(await hanging).toBe('ECONNRESET');
    await idleClosed;
    await expect(post(sim, bodyWith())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a conditional step waits for its request while others go on [SIM-45]', async () => {
    const isReview = (words: string) => when((request) => request.body['model'] === 'review', respond(text(words)));
    await using sim = await Simulator.start({ steps: [isReview('reviewed'), respond(text('plain'))] });

    const plain = await post(sim, bodyWith());
    const review = await post(sim, bodyWith({ model: 'review', prompt_cache_key: 'other' }));

    const words = [plain, review].map((answer) => itemsOf(answer)[0]?.['content']);
    expect(words).toEqual([[{ type: 'output_text', text: 'plain' }], [{ type: 'output_text', text: 'reviewed' }]]);
  });

  test('a step function and a rehearsal answer from the request; a rehearsal is never unused [SIM-46]', async () => {
    await using sim = await Simulator.start({
      steps: [async (request) => status(/* code */ 418, { body: `first ${request.index}` })],
      rules: rehearse((request) => status(/* code */ 200, { body: `rule ${request.index}` })),
    });
    await using idle = await Simulator.start({ rules: rehearse(() => respond()) });

    const bodies = [];
    for (let count = 0; count < 3; count += 1) bodies.push((await post(sim, bodyWith())).body.toString());

    expect(bodies).toEqual(['first 0', 'rule 1', 'rule 2']);
    expect(idle.requests).toEqual([]);
  });

  test('a script that throws is answered with status 500 and reported [SIM-47]', async () => {
    const sim = await Simulator.start({
      steps: [
        () => {
          throw new Error('oops');
        },
      ],
    });
    const answer = await post(sim, bodyWith());

    expect(answer.status).toBe(500);
    expect(await problemsOf(sim.close())).toEqual(['request 0: the script threw: oops']);
  });

  test('answers the models with an etag and keeps the client version [SIM-48]', async () => {
    const models = [{ slug: 'one' }];
    await using sim = await Simulator.start({ models, etag: '"v1"' });
    const path = `${sim.url}/models?client_version=1.2.3`;

    const first = await send(path, /* body */ undefined, { method: 'GET' });
    sim.setModels([], { etag: '"v2"' });
    const second = await send(path, /* body */ undefined, { method: 'GET' });

    expect([JSON.parse(first.body.toString()), first.headers.etag]).toEqual([{ models }, '"v1"']);
    expect([JSON.parse(second.body.toString()), second.headers.etag]).toEqual([{ models: [] }, '"v2"']);
    expect(sim.modelsRequests.map((request) => request.clientVersion)).toEqual(['1.2.3', '1.2.3']);
  });

  test('tells how each answer ended [SIM-49]', async () => {
    await using sim = await Simulator.start({ steps: [respond(), stall({ afterEvents: 1 })] });
    const leaving = new AbortController();
    await post(sim, bodyWith());
    await post(sim, bodyWith(), { signal: leaving.signal, onData: () => leaving.abort() });

    expect([await sim.outcome(/* index */ 0), await sim.outcome(/* index */ 1)]).toEqual(['sent', 'client-left']);
  });

  test('a client that leaves a long answer early stops it [SIM-49]', async () => {
    await using sim = await Simulator.start({ steps: [respond(text('x'.repeat(32 * 1024 * 1024), { chunks: 1000 }))] });
    const leaving = new AbortController();
    await post(sim, bodyWith(), { signal: leaving.signal, onData: () => leaving.abort() });

    expect(await sim.outcome(/* index */ 0)).toBe('client-left');
  });

  test('a port that is taken is a clear error [SIM-50]', async () => {
    await using sim = await Simulator.start();

    await expect(Simulator.start({ port: sim.port })).rejects.toMatchObject({ code: 'not-started' });
  });

  test('a path that is no URL is an unexpected request like any other [SIM-43]', async () => {
    const sim = await Simulator.start();
    const answer = await send(`http://127.0.0.1:${sim.port}//`, /* body */ undefined, { method: 'GET' });

    expect(answer.status).toBe(404);
    expect(await problemsOf(sim.close())).toEqual(['unexpected GET //']);
  });

  test('answers two threads that talk at the same time [SIM-45]', async () => {
    await using sim = await Simulator.start({
      rules: rehearse((request) => respond(text(String(request.body['prompt_cache_key'])))),
    });
    const ask = async (key: string): Promise<unknown> =>
      itemsOf(await post(sim, bodyWith({ prompt_cache_key: key, input: [userMessage(key)] })))[0]?.['content'];

    expect(await Promise.all(['a', 'b'].map(ask))).toEqual([
      [{ type: 'output_text', text: 'a' }],
      [{ type: 'output_text', text: 'b' }],
    ]);
  });
});
