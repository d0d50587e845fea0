import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CollectorAnswer, createCertificateAuthority, functionCall, respond, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { exportAll, Scene } from './scene.ts';

const KINDS = [
  ['http', 'otlp-http', ',protocol="json"'],
  ['grpc', 'otlp-grpc', ''],
] as const;

describe('a collector', () => {
  test.each(KINDS)(
    'that hangs (%s) costs two seconds at the end, and one line [TEL-40]',
    async (protocol, kind, more) => {
      await using scene = await Scene.set({ steps: [respond(text('One.'))], collector: { protocol } });
      scene.collector.answerAlways({ kind: 'hang' });
      const startedAt = performance.now();
      await scene.run(['one'], exportAll(scene.collector, { kind, more }));
      expect(performance.now() - startedAt).toBeLessThan(9_000);
      expect(scene.problems).toEqual([
        expect.stringMatching(
          /^Telemetry is incomplete: \w+ could not be sent to 127\.0\.0\.1:\d+: the collector did not answer before the program ended \(\d+ lost\)\. Check the otel settings; this is told once\.$/,
        ),
      ]);
    },
  );

  test.each<[string, CollectorAnswer, RegExp]>([
    [
      'with HTML',
      { kind: 'http', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      /not an OTLP collector/,
    ],
    ['with text that is no JSON', { kind: 'http', status: 200, body: 'hello' }, /not an OTLP collector/],
    ['with a refusal', { kind: 'http', status: 401, body: 'secret words' }, /HTTP status 401 \(/],
    [
      'with a redirect',
      { kind: 'http', status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      /HTTP status 302 \(/,
    ],
    ['with a failure each time', { kind: 'http', status: 503 }, /HTTP status 503 \(/],
    ['that it took a part only', { kind: 'partial', rejected: 3 }, /the collector rejected them \(3 lost\)/],
    ['to wait for an hour', { kind: 'http', status: 429, headers: { 'retry-after': '3600' } }, /HTTP status 429 \(/],
    ['far too much', { kind: 'http', status: 200, body: ' '.repeat(100_000) }, /longer than 65536 bytes/],
  ])('that answers %s is one line, and the run is as without it [TEL-41]', async (_title, answer, reason) => {
    await using scene = await Scene.set({ steps: [respond(text('One.')), respond(text('Two.'))] });
    scene.collector.answerAlways(answer);
    await scene.run(['one', 'two']);
    expect(scene.problems).toEqual([expect.stringMatching(reason)]);
    expect(scene.problems[0]).not.toContain('secret words');
  });

  test.each<[string, CollectorAnswer, RegExp]>([
    ['that it is not permitted', { kind: 'grpc', status: 7 }, /gRPC status 7 \(/],
    ['that its resources are exhausted', { kind: 'grpc', status: 8 }, /gRPC status 8 \(/],
    ['that it took a part only', { kind: 'partial', rejected: 3 }, /the collector rejected them \(3 lost\)/],
    ['in plain HTTP', { kind: 'http', status: 404 }, /HTTP status 404 without a gRPC status/],
  ])('that answers %s over gRPC is one line [TEL-41]', async (_title, answer, reason) => {
    await using scene = await Scene.set({ steps: [respond(text('One.'))], collector: { protocol: 'grpc' } });
    scene.collector.answerAlways(answer);
    await scene.run(['one'], exportAll(scene.collector, { kind: 'otlp-grpc', more: '' }));
    expect(scene.problems).toEqual([expect.stringMatching(reason)]);
  });

  test.each([
    ['HTTP', 'http', 'otlp-http', ',protocol="json"', { kind: 'http', status: 503, headers: { 'retry-after': '0' } }],
    ['gRPC', 'grpc', 'otlp-grpc', '', { kind: 'grpc', status: 14 }],
    ['gRPC, telling when', 'grpc', 'otlp-grpc', '', { kind: 'grpc', status: 8, retryAfterMs: 20 }],
  ] as const)(
    'that is not ready yet (%s) gets the records once more, each once [TEL-42]',
    async (_title, protocol, kind, more, answer) => {
      await using scene = await Scene.set({ steps: [respond(text('One.'))], collector: { protocol } });
      scene.collector.answerNext(answer);
      await scene.run(['one'], exportAll(scene.collector, { kind, more }));
      const { collector } = scene;
      expect([scene.problems, collector.violations, collector.exports.length]).toEqual([[], [], 6]);
      expect(collector.spans.map(({ name }) => name)).toContain('thread.start');
    },
  );

  test('that nobody runs is one line that says where it should be [TEL-43]', async () => {
    const port = await unusedPort();
    await using scene = await Scene.set({ steps: [respond(text('One.'))] });
    await scene.run(['one'], exportAll({ url: `http://127.0.0.1:${port}` }));
    expect(scene.problems).toEqual([expect.stringContaining(`nothing accepts connections at 127.0.0.1:${port}`)]);
  });

  test.each(KINDS)(
    'whose certificate is not trusted (%s) is one line with the remedy [TEL-44]',
    async (protocol, kind, more) => {
      await using authority = await createCertificateAuthority();
      const collector = { protocol, certificate: await authority.issue() } as const;
      await using scene = await Scene.set({ steps: [respond(text('One.'))], collector });
      await scene.run(['one'], exportAll(scene.collector, { kind, more }));
      expect(scene.problems).toEqual([expect.stringMatching(/TLS certificate of 127\.0\.0\.1:\d+ is not trusted/)]);
      expect(scene.collector.exports).toEqual([]);
    },
  );

  test.each([
    ['ca-certificate', (file: string) => `ca-certificate="${file}"`, /ca-certificate, cannot be used/],
    ['half a client certificate', (file: string) => `client-certificate="${file}"`, /is one half only/],
    [
      'a client certificate without sense',
      (file: string) => `client-certificate="${file}",client-private-key="${file}"`,
      /must be PEM files that belong together/,
    ],
  ])('with %s that can not be used is one line that names the file [TEL-45]', async (_title, tls, reason) => {
    const folder = await mkdtemp(join(tmpdir(), 'quire-telemetry-'));
    const file = join(folder, 'broken.pem');
    await writeFile(file, 'not PEM');
    await using scene = await Scene.set({ steps: [respond(text('One.'))] });
    const more = `,protocol="json",tls={${tls(file)}}`;
    await scene.run(['one'], exportAll({ url: scene.collector.url.replace('http:', 'https:') }, { more }));
    await rm(folder, { recursive: true });
    expect(scene.problems).toEqual([expect.stringMatching(reason)]);
    expect(scene.problems[0]).toContain(file);
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('what a turn told arrives before its thread is closed, so that a program that is killed loses nothing of it [TEL-54]', async () => {
  await using scene = await Scene.set({
    steps: [respond(functionCall('call-1', 'shell_command', { command: 'echo hi' })), respond(text('Done.'))],
  });
  const { collector, workspace, simulator } = scene;
  const quire = workspace.quire(simulator, {
    environment: { PATH: process.env['PATH'], HOME: workspace.home },
    configOverrides: [...scene.configOverrides, ...exportAll(collector)],
  });
  await using thread = await quire.startThread({
    workingDirectory: workspace.repository,
    sandboxMode: 'danger-full-access',
  });
  await thread.run('say hello');
  // Sooner than records are sent otherwise.
  const until = (find: () => unknown): Promise<unknown> =>
    collector.until(() => (find() === undefined ? undefined : true), { timeoutMs: 4_000 });
  await until(() => collector.spans.find(({ name }) => name === 'turn.run'));
  await until(() => collector.logs.find(({ name }) => name === 'codex.turn_ttft'));
  await until(() => collector.metrics.find(({ name }) => name === 'quire.turn'));
  const names = (): readonly string[] => collector.spans.map(({ name }) => name).sort();
  const before = { spans: names(), logs: collector.logs.length, turns: collector.total('quire.turn') };
  await thread.close();
  expect({ spans: names(), logs: collector.logs.length, turns: collector.total('quire.turn') }).toEqual(before);
  expect(collector.violations).toEqual([]);
});
