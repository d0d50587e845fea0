import { expect, test } from 'vitest';
import { loadConfig } from '../../src/index.ts';
import { problemOf, withFiles } from './config-folder.ts';

const HTTP = `[otel]
environment = "prod"
log_user_prompt = true
metrics_exporter = "none"
[otel.exporter.otlp-http]
endpoint = "https://h/v1/logs"
protocol = "json"
headers = { "x-key" = "s" }
tls = { ca-certificate = "ca.pem", client-private-key = "~/key.pem" }
`;

test('exporters are read with their addresses, headers and certificates [CFG-73]', async () => {
  await withFiles({ files: { 'home/config.toml': HTTP } }, async (options, place) => {
    const exporter = {
      kind: 'otlp-http',
      endpoint: 'https://h/v1/logs',
      protocol: 'json',
      headers: { 'x-key': 's' },
      tls: {
        caCertificate: `${place}/home/ca.pem`,
        clientCertificate: undefined,
        clientPrivateKey: `${place}/key.pem`,
      },
    };
    expect((await loadConfig(options)).telemetry).toEqual({
      environment: 'prod',
      logUserPrompt: true,
      logs: exporter,
      traces: exporter,
      metrics: { kind: 'none' },
    });
  });
});

test('each value of an exporter belongs to the file that it stands in, whatever other layers add [CFG-97]', async () => {
  const files = {
    'home/config.toml':
      '[otel.exporter.otlp-http]\nendpoint = "https://h"\ntls = { ca-certificate = "ca.pem", client-certificate = "me.pem" }\n',
  };
  const overrides = ['otel.exporter.otlp-http.protocol=json', 'otel.exporter.otlp-http.tls.client-private-key=key.pem'];
  await withFiles({ files, overrides }, async (options, place) => {
    expect((await loadConfig(options)).telemetry.logs).toMatchObject({
      protocol: 'json',
      tls: {
        caCertificate: `${place}/home/ca.pem`,
        clientCertificate: `${place}/home/me.pem`,
        clientPrivateKey: `${place}/project/key.pem`,
      },
    });
  });
});

test.each([
  [
    'endpoint = "h"',
    'invalid-value: %/home/config.toml:2: otel.exporter.otlp-http.endpoint must be an address that begins with http:// or https://',
  ],
  [
    'endpoint = "https://h"\ntls = { ca-certificate = 1 }',
    'wrong-type: %/home/config.toml:3: otel.exporter.otlp-http.tls.ca-certificate must be a string',
  ],
])('an error in the file is told with its place, whatever -c adds: %j [CFG-97]', async (lines, message) => {
  const files = { 'home/config.toml': `[otel.exporter.otlp-http]\n${lines}\n` };
  await withFiles({ files, overrides: ['otel.exporter.otlp-http.protocol=json'] }, async (options, place) => {
    expect(await problemOf(loadConfig(options), place)).toBe(message);
  });
});

test('a word of another service exports nothing [CFG-73]', async () => {
  await withFiles({ overrides: ['otel.exporter=statsig', 'otel.metrics_exporter=statsig'] }, async (options) => {
    const { logs, traces, metrics } = (await loadConfig(options)).telemetry;
    expect([logs, traces, metrics]).toEqual([{ kind: 'none' }, { kind: 'none' }, { kind: 'none' }]);
  });
});

test.each([
  [
    'otel.exporter=otlp-http',
    'invalid-value: -c: otel.exporter needs an address: otel.exporter = { otlp-http = { endpoint = "https://…" } }',
  ],
  ['otel.exporter={}', 'invalid-value: -c: otel.exporter must hold one of otlp-http, otlp-grpc as its only key'],
  ['otel.exporter={"otlp-grpc"={}}', 'invalid-value: -c: otel.exporter.otlp-grpc.endpoint is missing'],
  [
    'otel.trace_exporter={"otlp-http"={endpoint="h"}}',
    'invalid-value: -c: otel.trace_exporter.otlp-http.endpoint must be an address that begins with http:// or https://',
  ],
  [
    'otel.exporter={"otlp-http"={endpoint="http://h",headers={a=1}}}',
    'wrong-type: -c: otel.exporter.otlp-http.headers.a must be a string',
  ],
  ['otel=1', 'wrong-type: -c: otel must be a table, found an integer'],
])('%s is refused [CFG-73]', async (override, message) => {
  await withFiles({ overrides: [override] }, async (options, place) => {
    expect(await problemOf(loadConfig(options), place)).toBe(message);
  });
});
