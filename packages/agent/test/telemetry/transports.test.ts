import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  respond,
  startConnectProxy,
  text,
} from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportAll, Scene, treeOf } from './scene.ts';

const TREE = ['thread.start', '  turn.run', '    model.request', '      model.attempt'];
const PROTOCOLS = [
  ['OTLP over HTTP with JSON', 'otlp-http', ',protocol="json"'],
  ['OTLP over HTTP with protobuf', 'otlp-http', ',protocol="binary"'],
  ['OTLP over gRPC', 'otlp-grpc', ''],
] as const;

/** What comes at the very end of a program has two seconds only, in which a busy machine hardly connects. */
const ARRIVED = { until: 'turn.run' };

let authority: CertificateAuthority;
let clients: CertificateAuthority;
beforeAll(async () => {
  [authority, clients] = await Promise.all([
    createCertificateAuthority({ name: 'Collectors' }),
    createCertificateAuthority({ name: 'Clients' }),
  ]);
});
afterAll(async () => {
  await Promise.all([authority[Symbol.asyncDispose](), clients[Symbol.asyncDispose]()]);
});

describe.each(PROTOCOLS)('%s', (_name, kind, more) => {
  const protocol = kind === 'otlp-grpc' ? 'grpc' : 'http';

  test('carries traces, logs and metrics with the headers of the settings [TEL-30]', async () => {
    await using scene = await Scene.set({ steps: [respond(text('One.'))], collector: { protocol } });
    await scene.run(['one'], exportAll(scene.collector, { kind, more: `${more},headers={x-key="value"}` }), ARRIVED);

    const { collector } = scene;
    expect([collector.violations, scene.problems]).toEqual([[], []]);
    expect(treeOf(collector.spans)).toEqual(TREE);
    expect(collector.total('codex.api_request')).toBe(1);
    expect(collector.logs.map(({ name }) => name)).toContain('codex.user_prompt');
    expect(collector.exports.map(({ headers }) => headers['x-key'])).toEqual(['value', 'value', 'value']);
  });

  test('is encrypted, trusts the authority of the settings and shows the client certificate [TEL-31]', async () => {
    const [certificate, client] = await Promise.all([authority.issue(), clients.issue()]);
    const collector = { protocol, certificate, clientAuthority: clients.certificate } as const;
    await using scene = await Scene.set({ steps: [respond(text('One.'))], collector });
    const at = (name: string): string => join(scene.workspace.home, name);
    await Promise.all([writeFile(at('client.pem'), client.cert), writeFile(at('client-key.pem'), client.key)]);
    const tls = `ca-certificate="${authority.file}",client-certificate="${at('client.pem')}",client-private-key="${at('client-key.pem')}"`;
    await scene.run(['one'], exportAll(scene.collector, { kind, more: `${more},tls={${tls}}` }), ARRIVED);

    expect([scene.problems, treeOf(scene.collector.spans)]).toEqual([[], TREE]);
  });

  test('trusts the authority of the environment too [TEL-31]', async () => {
    const collector = { protocol, certificate: await authority.issue() } as const;
    const environment = { PATH: process.env['PATH'], CODEX_CA_CERTIFICATE: authority.file };
    await using scene = await Scene.set({ steps: [respond(text('One.'))], collector, quire: { environment } });
    await scene.run(['one'], exportAll(scene.collector, { kind, more }), ARRIVED);
    expect([scene.problems, treeOf(scene.collector.spans)]).toEqual([[], TREE]);
  });

  test('goes through the proxy of the environment [TEL-32]', async () => {
    await using proxy = await startConnectProxy();
    const environment = { PATH: process.env['PATH'], HTTP_PROXY: proxy.url, http_proxy: proxy.url };
    await using scene = await Scene.set({
      steps: [respond(text('One.'))],
      collector: { protocol },
      quire: { environment },
    });
    await scene.run(['one'], exportAll(scene.collector, { kind, more }), ARRIVED);
    const { host } = new URL(scene.collector.url);
    expect([scene.problems, treeOf(scene.collector.spans)]).toEqual([[], TREE]);
    expect(proxy.requests.filter(({ target }) => target.includes(host)).length).toBeGreaterThanOrEqual(3);
  });
});

test.each([
  ['', { traces: '/v1/traces', logs: '/v1/logs', metrics: '/v1/metrics' }],
  ['/v1/logs', { traces: '/v1/traces', logs: '/v1/logs', metrics: '/v1/metrics' }],
  ['/team/v1/logs', { traces: '/team/v1/traces', logs: '/team/v1/logs', metrics: '/team/v1/metrics' }],
])(
  'an endpoint with the path %j is used for each kind of records with its own usual path [TEL-33]',
  async (path, paths) => {
    await using scene = await Scene.set({ steps: [respond(text('One.'))] });
    await scene.run(['one'], exportAll({ url: `${scene.collector.url}${path}` }));
    expect(Object.fromEntries(scene.collector.exports.map((received) => [received.signal, received.path]))).toEqual(
      paths,
    );
  },
);
