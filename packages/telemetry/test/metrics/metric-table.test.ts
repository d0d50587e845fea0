import { expect, test } from 'vitest';
import { MetricTable } from '../../src/metrics/metric-table.ts';

function table(isCumulative: boolean): { readonly metrics: MetricTable; readonly clock: { now: number } } {
  const clock = { now: 1_000 };
  return { metrics: new MetricTable({ now: () => clock.now, isCumulative }), clock };
}

test('values since the last reading are told, once [TEL-61]', () => {
  const { metrics, clock } = table(/* isCumulative */ false);
  metrics.count('calls', { tool: 'a' });
  metrics.count('calls', { tool: 'a' });
  metrics.count('calls', { tool: 'b' });
  clock.now = 2_000;
  expect(metrics.read()).toEqual({
    fromMs: 1_000,
    toMs: 2_000,
    sums: new Map([
      [
        'calls',
        [
          { attributes: { tool: 'a' }, value: 2 },
          { attributes: { tool: 'b' }, value: 1 },
        ],
      ],
    ]),
    distributions: new Map(),
  });
  expect(metrics.read()).toBe(undefined);
  metrics.count('calls', { tool: 'a' });
  expect(metrics.read()).toMatchObject({ fromMs: 2_000, sums: new Map([['calls', [{ value: 1 }]]]) });
});

test('or all values each time, when collectors want that [TEL-61]', () => {
  const { metrics } = table(/* isCumulative */ true);
  metrics.count('calls', {});
  metrics.read();
  metrics.count('calls', {});
  expect(metrics.read()).toMatchObject({ fromMs: 1_000, sums: new Map([['calls', [{ value: 2 }]]]) });
});

test('a duration is counted in its class, bounds included [TEL-61]', () => {
  const { metrics } = table(/* isCumulative */ false);
  for (const durationMs of [0, 5, 6, 120_000, 120_001, Number.NaN]) metrics.record('time', durationMs, {}, 'ms');
  const [series] = metrics.read()?.distributions.get('time') ?? [];
  const { buckets = [], bounds = [], ...rest } = series?.value ?? {};
  expect(rest).toEqual({ unit: 'ms', count: 5, sum: 240_012, min: 0, max: 120_001 });
  expect(buckets).toHaveLength(bounds.length + 1);
  expect([buckets.slice(0, 4), buckets.slice(-3)]).toEqual([
    [1, 1, 1, 0],
    [0, 1, 1],
  ]);
});

test('an amount has classes of its own, and no unit [TEL-61]', () => {
  const { metrics } = table(/* isCumulative */ false);
  metrics.record('tokens', /* amount */ 7_000, {}, '');
  const [series] = metrics.read()?.distributions.get('tokens') ?? [];
  expect(series?.value).toMatchObject({ unit: '', count: 1, sum: 7_000 });
  expect(series?.value.buckets).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
});

test('the number of series is bounded, whatever attributes hold [TEL-62]', () => {
  const { metrics } = table(/* isCumulative */ false);
  for (let index = 0; index < 5_000; index += 1) metrics.count('calls', { id: index });
  expect(metrics.read()?.sums.get('calls')).toHaveLength(2_000);
});
