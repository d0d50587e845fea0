import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { OtlpCollector } from '../../src/index.ts';

const JSON_TYPE = 'application/json';
const IDS = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const TIMES = { startTimeUnixNano: '1', endTimeUnixNano: '2' };
const NAME = { key: 'service.name', value: { stringValue: 'test' } };

function post(url: string, type: string, body: string | Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers: { 'content-type': type } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    outgoing.on('error', reject).end(body);
  });
}

function traces(span: object, attributes: readonly object[] = [NAME]): string {
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'test' }, spans: [span] }] }],
  });
}

function metrics(point: object): string {
  const metric = { name: 'm', unit: 'ms', histogram: { aggregationTemporality: 1, dataPoints: [point] } };
  const scopeMetrics = [{ scope: { name: 'test' }, metrics: [metric] }];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes: [NAME] }, scopeMetrics }] });
}

describe('the collector', () => {
  test('takes what is right [SIM-180]', async () => {
    await using collector = await OtlpCollector.start();
    const span = { ...IDS, ...TIMES, name: 'work', kind: 3, attributes: [{ key: 'a', value: { intValue: '3' } }] };
    expect(await post(`${collector.url}/v1/traces`, JSON_TYPE, traces(span))).toBe(200);
    expect([collector.violations, collector.spans]).toMatchObject([[], [{ name: 'work', attributes: { a: 3 } }]]);
  });

  test.each<[string, string, string, RegExp]>([
    ['a span without a name', 'traces', traces({ ...IDS, ...TIMES }), /without a name/],
    ['a bad id', 'traces', traces({ ...IDS, ...TIMES, name: 'a', spanId: '12' }), /bad spanId/],
    ['an id of zeros', 'traces', traces({ ...IDS, ...TIMES, name: 'a', traceId: '0'.repeat(32) }), /bad traceId/],
    [
      'an end before its start',
      'traces',
      traces({ ...IDS, name: 'a', startTimeUnixNano: '2', endTimeUnixNano: '1' }),
      /ends before/,
    ],
    ['nobody who tells', 'traces', traces({ ...IDS, ...TIMES, name: 'a' }, []), /service\.name/],
    [
      'an attribute with two values',
      'traces',
      traces({ ...IDS, ...TIMES, name: 'a', attributes: [{ key: 'b', value: { boolValue: true, intValue: '1' } }] }),
      /attribute "b"/,
    ],
    [
      'classes that do not add up',
      'metrics',
      metrics({ timeUnixNano: '1', count: '3', sum: 1, bucketCounts: ['1', '1'], explicitBounds: [5] }),
      /add up/,
    ],
    ['no JSON', 'traces', '<html>', /not an export/],
  ])('finds fault with %s [SIM-181]', async (_title, signal, body, finding) => {
    await using collector = await OtlpCollector.start();
    await post(`${collector.url}/v1/${signal}`, JSON_TYPE, body);
    expect(collector.violations).toContainEqual(expect.stringMatching(finding));
  });

  test.each(['0a', '0a0512', '2a00', '0aff01'])('finds fault with the bytes %s [SIM-181]', async (hex) => {
    await using collector = await OtlpCollector.start();
    const status = await post(`${collector.url}/v1/traces`, 'application/x-protobuf', Buffer.from(hex, 'hex'));
    expect([status, collector.violations]).toEqual([400, expect.arrayContaining([expect.stringMatching(/decoded/)])]);
  });

  test('finds fault with a span that is sent twice [SIM-181]', async () => {
    await using collector = await OtlpCollector.start();
    const body = traces({ ...IDS, ...TIMES, name: 'work' });
    for (const _time of [1, 2]) await post(`${collector.url}/v1/traces`, JSON_TYPE, body);
    expect(collector.violations).toEqual(['a span was sent twice']);
  });
});
