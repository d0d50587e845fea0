import { describe, expect, test } from 'vitest';
import {
  acceptUpgrade,
  delay,
  type HandshakeStep,
  refuse,
  refuseUpgrade,
  reset,
  respond,
  Simulator,
  SimulatorError,
  stall,
  status,
  text,
} from '../../src/index.ts';
import { bodyWith, post, send } from '../support/client.ts';
import { BETA, typeOf, WebSocketClient } from '../support/web-socket-client.ts';

const hello = respond(text('hello'));

async function refusalOf(step: HandshakeStep): Promise<unknown> {
  await using sim = await Simulator.start({ handshakes: [step] });
  return await WebSocketClient.open(sim).then(
    () => 'accepted',
    (error: unknown) => error,
  );
}

describe('a handshake', () => {
  test('is recorded with its headers and waited for [SIM-100]', async () => {
    await using sim = await Simulator.start();
    const waited = sim.handshake(/* index */ 0);
    using client = await WebSocketClient.open(sim, { headers: { authorization: 'Bearer x' } });
    const { headers, receivedAtMs, bytesReceived, ...rest } = await waited;

    expect(rest).toEqual({ index: 0, connection: 0, path: '/v1/responses' });
    expect([headers['openai-beta'], headers.authorization]).toEqual([BETA, 'Bearer x']);
    expect([receivedAtMs > 0, bytesReceived > 100, sim.handshakes.length]).toEqual([true, true, 1]);
    expect([(await sim.webSocket(/* handshake */ 0)).connection, client.frames]).toEqual([0, []]);
  });

  test('is accepted with the headers of its step [SIM-101]', async () => {
    const headers = { 'x-codex-turn-state': 'ts-1', 'openai-model': 'm', 'x-reasoning-included': 'true' };
    await using sim = await Simulator.start({ handshakes: [acceptUpgrade({ headers })] });
    using client = await WebSocketClient.open(sim);

    expect(client.upgradeHeaders).toMatchObject(headers);
  });

  test.each([400, 401, 403, 404, 426, 429, 500, 503])(
    'is refused with %i, headers and body [SIM-102]',
    async (code) => {
      const error = { type: 'usage_limit_reached', code: 'c', message: 'm', resets_at: 1 };
      const refused = await refusalOf(refuseUpgrade(code, { headers: { 'retry-after': '7' }, error }));

      expect(refused).toMatchObject({ status: code, headers: { 'retry-after': '7' }, body: JSON.stringify({ error }) });
    },
  );

  test('is answered with any page, reset, or after the server died [SIM-102]', async () => {
    expect(await refusalOf(status(/* code */ 403, { body: '<html>blocked</html>' }))).toMatchObject({
      status: 403,
      body: '<html>blocked</html>',
    });
    expect(await refusalOf(reset())).toMatchObject({ code: 'ECONNRESET' });
    expect(await refusalOf(refuse())).toMatchObject({ message: 'socket hang up' });
  });

  test('hangs until the client leaves [SIM-103]', async () => {
    await using sim = await Simulator.start({ handshakes: [stall()] });
    const leaving = new AbortController();
    const headers = { connection: 'upgrade', upgrade: 'websocket', 'openai-beta': BETA };
    const { signal } = leaving;
    const opening = send(`${sim.url}/responses`, /* body */ undefined, { method: 'GET', headers, signal });
    await sim.handshake(/* index */ 0);
    leaving.abort();

    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
    expect(sim.handshakes.length).toBe(1);
  });

  test.each([acceptUpgrade(), refuseUpgrade(/* code */ 500)])('is answered after a delay [SIM-103]', async (step) => {
    const startedAt = performance.now();
    await refusalOf(delay(/* delayMs */ 50, step));

    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(48);
  });

  test('with wrong headers is a violation, answered with status 400 [SIM-104]', async () => {
    const sim = await Simulator.start({ expectAuthorization: 'Bearer right' });
    const headers = { 'openai-beta': 'other', authorization: 'Bearer secret-value' };

    await expect(WebSocketClient.open(sim, { headers })).rejects.toMatchObject({ status: 400 });
    await sim.stop();
    expect(sim.violations).toEqual([
      'handshake 0: the header openai-beta must name responses_websockets and a date',
      'handshake 0: the header authorization is not the expected one',
    ]);
  });

  test('that is none of a WebSocket is a violation [SIM-104]', async () => {
    const sim = await Simulator.start();
    const headers = { connection: 'upgrade', upgrade: 'websocket', 'openai-beta': BETA };
    const answer = await send(`${sim.url}/responses`, /* body */ undefined, { method: 'GET', headers });
    await sim.stop();

    expect([answer.status, sim.violations]).toEqual([
      400,
      ['handshake 0: its WebSocket headers are incomplete or wrong'],
    ]);
  });

  test('whose step was not used is reported [SIM-43]', async () => {
    const sim = await Simulator.start({
      handshakes: [acceptUpgrade(), refuseUpgrade(/* code */ 426), acceptUpgrade()],
    });
    using _client = await WebSocketClient.open(sim);
    const closing = sim.close();

    await expect(closing).rejects.toBeInstanceOf(SimulatorError);
    await expect(closing).rejects.toMatchObject({
      problems: ['handshake step 1 (status 426) was not used', 'handshake step 2 (an accepted handshake) was not used'],
    });
  });

  test('to another path is unexpected [SIM-43]', async () => {
    const sim = await Simulator.start();
    const elsewhere = { url: `${sim.url}/elsewhere?` };

    await expect(WebSocketClient.open(elsewhere)).rejects.toMatchObject({ status: 404 });
    await sim.stop();
    expect(sim.unexpectedRequests).toEqual(['unexpected upgrade of /v1/elsewhere']);
  });
});

describe('a transport', () => {
  test('that is refused leaves the script to the others [SIM-105]', async () => {
    await using sim = await Simulator.start({
      steps: [hello, hello],
      transports: { websocket: refuseUpgrade(/* code */ 500) },
    });

    await expect(WebSocketClient.open(sim)).rejects.toMatchObject({ status: 500 });
    await expect(WebSocketClient.open(sim)).rejects.toMatchObject({ status: 500 });
    expect((await post(sim, bodyWith())).status).toBe(200);

    sim.setTransports({ http: status(/* code */ 503) });
    using client = await WebSocketClient.open(sim);
    expect((await post(sim, bodyWith())).status).toBe(503);
    expect((await client.ask()).map(typeOf).at(-1)).toBe('response.completed');
  });
});
