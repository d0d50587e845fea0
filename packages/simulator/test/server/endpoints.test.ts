import { gzipSync } from 'node:zlib';
import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  compacted,
  compaction,
  createCertificateAuthority,
  delay,
  event,
  reset,
  respond,
  Simulator,
  status,
  text,
  usageReport,
} from '../../src/index.ts';
import { zstdPackage } from '../../src/server/zstd-package.ts';
import { bodyWith, type ClientAnswer, itemsOf, post, send, userMessage } from '../support/client.ts';
import { WebSocketClient } from '../support/web-socket-client.ts';

const call = { type: 'function_call', call_id: 'c', name: 'n', arguments: '{}' };
const output = { type: 'function_call_output', call_id: 'c', output: 'done' };
const developer = { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'rules' }] };
const spoken = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'ok' }] };
const history = [developer, userMessage('a'), call, output, spoken];

function compact(sim: Simulator, fields: JsonObject = {}): Promise<ClientAnswer> {
  const body = { model: 'm', instructions: 'Be brief.', input: history, ...fields };
  return send(`${sim.url}/responses/compact`, body, { headers: { session_id: 'thread-1' } });
}

describe('the compaction endpoint', () => {
  test('keeps what user and developer said and sums up the rest [SIM-140]', async () => {
    await using sim = await Simulator.start();
    const answer = await compact(sim);

    expect(JSON.parse(answer.body.toString())).toEqual({
      output: [developer, userMessage('a'), { type: 'compaction', encrypted_content: 'summary of 3 items' }],
    });
    expect([sim.compactions.length, (await sim.compaction(/* index */ 0)).input, sim.requests]).toEqual([
      1,
      history,
      [],
    ]);
  });

  test('answers as scripted: other items, none, another shape, a status, a delay, a reset [SIM-141]', async () => {
    await using sim = await Simulator.start({
      compactions: [
        compacted(spoken),
        compacted(),
        status(/* code */ 200, { body: { outputs: [] } }),
        status(/* code */ 200, { body: '<html>' }),
        status(/* code */ 403, { body: 'blocked' }),
        delay(/* delayMs */ 1, compacted()),
        reset(),
      ],
    });
    const answers = [];
    for (let count = 0; count < 6; count += 1) {
      const { status: code, body } = await compact(sim);
      answers.push([code, body.toString()]);
    }

    expect(answers).toEqual([
      [200, JSON.stringify({ output: [spoken] })],
      [200, '{"output":[]}'],
      [200, '{"outputs":[]}'],
      [200, '<html>'],
      [403, 'blocked'],
      [200, '{"output":[]}'],
    ]);
    await expect(compact(sim)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('checks the request [SIM-142]', async () => {
    const sim = await Simulator.start();
    const codes = [
      await compact(sim, { input: [] }),
      await compact(sim, { input: [call] }),
      await compact(sim, { instructions: null }),
    ].map((answer) => answer.status);
    await sim.stop();

    expect([codes, sim.violations]).toEqual([
      [400, 400, 400],
      [
        'compaction 0: an empty history is compacted without a request',
        'compaction 1: input[0] (function_call c) has no output',
        "compaction 2: the body's instructions must be a string",
      ],
    ]);
  });

  test('lets the thread go on with another history, once [SIM-143]', async () => {
    const sim = await Simulator.start({ steps: [respond(), respond(), respond()] });
    await post(sim, bodyWith({ input: history }));
    await compact(sim);
    const shorter = await post(sim, bodyWith({ input: [userMessage('a')] }));
    const again = await post(sim, bodyWith({ input: [userMessage('b')] }));
    await sim.stop();

    expect([shorter.status, again.status]).toEqual([200, 400]);
  });

  test('so does a compaction over the stream [SIM-143]', async () => {
    await using sim = await Simulator.start({ steps: [respond(compaction('summary')), respond()] });
    const summed = await post(sim, bodyWith({ input: [...history, { type: 'compaction_trigger' }] }));
    const [item = {}] = itemsOf(summed);
    const after = await post(sim, bodyWith({ input: [userMessage('a'), item] }));

    expect([item, after.status]).toEqual([{ type: 'compaction', id: 'cmp_0_0', encrypted_content: 'summary' }, 200]);
  });
});

describe('the usage endpoint', () => {
  test.each(['/backend-api/wham/usage', '/api/codex/usage'])('reports limits at %s [SIM-144]', async (path) => {
    const primary = { usedPercent: 12, windowMinutes: 300, resetAt: 1_999_999_999 };
    const other = { limitId: 'codex_other', limitName: 'Other', secondary: { usedPercent: 100 } };
    await using sim = await Simulator.start({ usage: usageReport({ primary, additional: [other] }) });
    const ask = () => send(`http://127.0.0.1:${sim.port}${path}`, /* body */ undefined, { method: 'GET' });
    const report = await ask();
    sim.setUsage(status(/* code */ 401));

    expect(JSON.parse(report.body.toString())).toEqual({
      plan_type: 'pro',
      rate_limit: {
        allowed: true,
        limit_reached: false,
        primary_window: {
          used_percent: 12,
          limit_window_seconds: 18_000,
          reset_after_seconds: 0,
          reset_at: 1_999_999_999,
        },
        secondary_window: null,
      },
      credits: null,
      additional_rate_limits: [
        {
          limit_name: 'Other',
          metered_feature: 'codex_other',
          rate_limit: {
            allowed: false,
            limit_reached: true,
            primary_window: null,
            secondary_window: { used_percent: 100, limit_window_seconds: 0, reset_after_seconds: 0, reset_at: 0 },
          },
        },
      ],
    });
    expect([(await ask()).status, sim.usageRequests.map((request) => request.path)]).toEqual([401, [path, path]]);
  });
});

describe('a compressed request body', () => {
  const body = bodyWith({ input: [userMessage('y'.repeat(100_000))] });
  const bytes = Buffer.from(JSON.stringify(body));

  test('of zstd or gzip is read [SIM-145]', async () => {
    const { compress } = await zstdPackage();
    await using sim = await Simulator.start({ steps: [respond(), respond()] });
    const zstd = Buffer.from(compress(bytes));
    const codes = [
      await post(sim, zstd, { headers: { 'content-encoding': 'zstd' } }),
      await post(sim, gzipSync(bytes), { headers: { 'content-encoding': 'gzip' } }),
    ].map((answer) => answer.status);

    expect([codes, sim.requests.map((request) => request.body)]).toEqual([
      [200, 200],
      [body, body],
    ]);
    expect(sim.requests[0]?.rawBody).toEqual(zstd);
  });

  test.each(['zstd', 'gzip'])('that is no %s is answered with status 400 [SIM-145]', async (encoding) => {
    const sim = await Simulator.start();
    const answer = await post(sim, bytes, { headers: { 'content-encoding': encoding } });
    await sim.stop();

    expect([answer.status, sim.violations]).toEqual([
      400,
      [`request 0: the body is not ${encoding} as its content-encoding says`],
    ]);
  });
});

describe('any client', () => {
  test('may ask when only what every client keeps is checked [SIM-146]', async () => {
    const sim = await Simulator.start({ acceptsAnyClient: true, steps: [respond(text('hello'))] });
    const plain = await send(`${sim.url}/responses`, { model: 'm', input: 'hi', stream: true, temperature: 1 });
    const broken = await send(`${sim.url}/responses`, { model: 'm', input: [call], stream: true });
    await sim.stop();

    expect([plain.status, broken.status, sim.requests[0]?.input, sim.violations]).toEqual([
      200,
      400,
      [userMessage('hi')],
      ['request 1: input[0] (function_call c) has no output'],
    ]);
  });
});

describe('with TLS', () => {
  test('a private authority vouches for HTTP and WebSocket, and a reset is still one [SIM-147]', async () => {
    await using ca = await createCertificateAuthority();
    await using sim = await Simulator.start({
      tls: { ca },
      steps: [respond(event({ type: 'x' })), reset({ afterEvents: 1 }, respond())],
    });
    await expect(WebSocketClient.open(sim)).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    using client = await WebSocketClient.open(sim, { ca: ca.certificate });
    await client.ask();
    client.create();

    expect([sim.url.slice(0, 8), (await client.closed).code]).toEqual(['https://', 1006]);
    expect(sim.requests.map((request) => [request.connection, request.bytesReceived > 10])).toEqual([
      [1, true],
      [1, true],
    ]);
  });

  test('an expired certificate can be had too [SIM-147]', async () => {
    await using ca = await createCertificateAuthority();
    await using sim = await Simulator.start({ tls: { ca, certificate: { expired: true } } });

    await expect(WebSocketClient.open(sim, { ca: ca.certificate })).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  });
});
