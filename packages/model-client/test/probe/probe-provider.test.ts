import { createDialer } from '@quire/network';
import type { Credentials, ModelProvider } from '@quire/protocol';
import { refuseUpgrade, Simulator, status } from '@quire/simulator';
import { expect, test } from 'vitest';
import { type ProbeOptions, probeProvider, probeWebSocket } from '../../src/index.ts';
import { options as clientOptions } from '../support.ts';

const SECRET = 'secret-key-of-the-test';
const CREDENTIALS: Credentials = { kind: 'api-key', token: SECRET };

function probe(
  baseUrl: string,
  changes: Partial<ProbeOptions> & { readonly http?: ModelProvider['httpHeaders'] } = {},
) {
  const { provider } = clientOptions(baseUrl);
  const { http, ...others } = changes;
  return {
    provider: { ...provider, httpHeaders: http ?? {} },
    credentials: CREDENTIALS,
    dialer: createDialer({ environment: {} }),
    originator: 'test',
    clientVersion: '1.2.3',
    userAgent: 'test/1.2.3',
    clock: { now: () => Date.now() },
    environment: {},
    signal: new AbortController().signal,
    timeoutMs: 10_000,
    ...others,
  };
}

test('a provider is asked once for its models, with credentials, and tells its time [PROBE-01]', async () => {
  await using simulator = await Simulator.start();
  const options = probe(simulator.url);
  const answer = await probeProvider(options);
  options.dialer.close();
  expect(answer).toMatchObject({ status: 200, error: undefined, url: `${simulator.url}/models?client_version=1.2.3` });
  expect(Math.abs((answer.serverTimeMs ?? 0) - answer.askedAtMs)).toBeLessThan(2_000);
  expect(simulator.modelsRequests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${SECRET}`]);
  expect(simulator.requests).toEqual([]);
});

test('refusals, web pages and silence are typed, and quote no secret [PROBE-02]', async () => {
  await using simulator = await Simulator.start();
  const options = probe(simulator.url, { http: { 'x-api-key': 'other-secret-of-the-test' } });
  const codes: unknown[] = [];
  const answers = [
    status(/* code */ 401, { body: { error: { message: `no ${SECRET} other-secret-of-the-test` } } }),
    status(/* code */ 200, { headers: { 'content-type': 'text/html' }, body: '<html>' }),
    status(/* code */ 503, { body: {} }),
  ];
  const texts: string[] = [];
  for (const answer of answers) {
    simulator.setModelsAnswer(answer);
    const { status: code, error } = await probeProvider(options);
    codes.push([code, error?.code]);
    texts.push(error?.message ?? '');
  }
  expect(codes).toEqual([
    [401, 'unauthorized'],
    [200, 'stream-protocol'],
    [503, 'unexpected-status'],
  ]);
  expect(texts.join('\n')).not.toMatch(/secret/);
  simulator.refuseConnections();
  expect(await probeProvider(options)).toMatchObject({ status: undefined, error: { code: 'connection-failed' } });
  options.dialer.close();
});

test('a WebSocket is opened and closed without a frame, and a refusal keeps its status [PROBE-03]', async () => {
  await using simulator = await Simulator.start({ handshakes: [refuseUpgrade(/* code */ 426)] });
  const options = probe(simulator.url);
  expect(await probeWebSocket(options)).toMatchObject({
    status: 426,
    error: { transportFailure: { kind: 'upgrade-status' } },
  });
  expect(await probeWebSocket(options)).toMatchObject({ status: 101, error: undefined });
  options.dialer.close();
  expect([simulator.handshakes.length, simulator.requests.length]).toEqual([2, 0]);
});
