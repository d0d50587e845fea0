import { OtlpCollector } from '@quire/simulator';
import { expect, test } from 'vitest';
import { createLoginScene } from '../models/login-scene.ts';
import { exportAll } from './scene.ts';

test('reading and fetching the list of models is timed, in the trace of the thread [TEL-80]', async () => {
  await using collector = await OtlpCollector.start();
  await using scene = await createLoginScene({ config: exportAll(collector) });
  const thread = await scene.start();
  await thread.run('hello');
  await scene.listed();
  await thread.close();

  expect(collector.violations).toEqual([]);
  expect(collector.total('codex.remote_models.load_cache.duration_ms')).toBeGreaterThanOrEqual(1);
  expect(collector.total('codex.remote_models.fetch_update.duration_ms')).toBeGreaterThanOrEqual(1);
  const [start] = collector.spans.filter(({ name }) => name === 'thread.start');
  const parentOf = (span: string): unknown => collector.spans.find(({ name }) => name === span)?.parentSpanId;
  expect([parentOf('catalog.load'), parentOf('catalog.fetch')]).toEqual([start?.spanId, start?.spanId]);
});
