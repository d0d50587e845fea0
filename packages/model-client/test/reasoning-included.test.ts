import { respond, responseMetadata, Simulator, type Step, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { connect, run, serve } from './support.ts';
import { answerEvents, serveSockets } from './ws-support.ts';

const EVENT = { kind: 'server-reasoning-included' } as const;

describe('that the server counts earlier reasoning itself is told by', () => {
  test('a response header, whatever its value [EVENT-07]', async () => {
    await using simulator = await Simulator.start({
      steps: [respond(text('x'), { headers: { 'X-Reasoning-Included': 'false' } }), respond(text('y'))],
    });
    using client = connect(simulator.url);
    expect((await run(client.turn)).filter(({ kind }) => kind === EVENT.kind)).toEqual([EVENT]);
    expect((await run(client.turn)).filter(({ kind }) => kind === EVENT.kind)).toEqual([]);
  });

  test('the header of an upgrade, with every response on it [EVENT-07]', async () => {
    await using server = await serveSockets({ headers: ['x-reasoning-included: 1'] });
    using client = connect(server.url, { webSocket: 'when-supported', with: { supportsWebsockets: true } });
    for (const _request of ['first', 'second']) {
      expect((await run(client.turn)).filter(({ kind }) => kind === EVENT.kind)).toEqual([EVENT]);
    }
  });

  test.each([
    ['response.metadata', 'off'],
    ['response.metadata', 'when-supported'],
    ['codex.response.metadata', 'off'],
    ['codex.response.metadata', 'when-supported'],
  ] as const)('a %s event (WebSocket %s), which may tell more [EVENT-07]', async (type, webSocket) => {
    const headers = { 'X-Reasoning-Included': true, 'x-models-etag': 'e' };
    const events = [{ type, headers }, ...answerEvents('r', 'x')];
    await using sockets = await serveSockets({ frame: (peer) => peer.send(...events) });
    await using http = await serve((response) => {
      response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
    });
    const url = webSocket === 'off' ? http.url : sockets.url;
    using client = connect(url, { webSocket, with: { supportsWebsockets: true } });
    const told = (await run(client.turn)).filter(({ kind }) => kind !== 'rate-limits').slice(0, 2);
    const other =
      type === 'response.metadata'
        ? { kind: 'unknown', type, raw: { type, headers } }
        : { kind: 'models-etag', etag: 'e' };
    expect(told).toEqual([EVENT, other]);
  });

  test.each<[string, Step]>([
    ['without it', respond(responseMetadata({ headers: { 'x-other': '1' } }), text('x'))],
    ['with nothing in it', respond(responseMetadata({ headers: { 'x-reasoning-included': null } }), text('x'))],
  ])('no event %s [EVENT-07]', async (_title, step) => {
    await using simulator = await Simulator.start({ steps: [step] });
    using client = connect(simulator.url);
    expect((await run(client.turn)).filter(({ kind }) => kind === EVENT.kind)).toEqual([]);
  });
});
