import { getEventListeners } from 'node:events';
import { ModelError, type ResponseItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { runCompaction } from '../../src/compaction/run-compaction.ts';
import {
  type Answer,
  assistant,
  compaction,
  compactionInput,
  compactionSettings,
  failure,
  fakeLine,
  longWork,
  never,
  shape,
  user,
} from './fakes.ts';

const HISTORY: readonly ResponseItem[] = [user('build it'), ...longWork()];
const TRUNCATED = failure('stream-truncated', { retryable: true });

describe('a bad answer leads to the next strategy, with one notice [CORE-181]', () => {
  const bad: readonly (readonly [string, Answer])[] = [
    ['nothing', []],
    ['a refusal with 400', failure('invalid-request', { httpStatus: 400 })],
    ['a page of HTML with 403', failure('unexpected-status', { httpStatus: 403 })],
    ['a 500', failure('internal-server-error', { httpStatus: 500 })],
    ['something that is no ModelError', new TypeError('no list')],
  ];
  const badCompactions: typeof bad = [
    ...bad,
    ['two compaction items', [compaction('a'), compaction('b')]],
    ['an empty compaction item', [compaction('')]],
    ['a history as long as before', [...HISTORY, compaction('x'.repeat(40_000))]],
  ];
  const cases = [
    ...[...badCompactions, ['no compaction item', [assistant('hello')]] as const].map(
      ([name, answer]) => ['trigger', name, answer] as const,
    ),
    ...[...badCompactions, ['only what it was sent', [user('build it')]] as const].map(
      ([name, answer]) => ['endpoint', name, answer] as const,
    ),
    ...bad.slice(1).map(([name, answer]) => ['local', name, answer] as const),
    ['local', 'a summary longer than the history', [assistant('x'.repeat(40_000))]] as const,
  ];

  test.each(cases)('%s: %s', async (strategy, _name, answer) => {
    const line = fakeLine({ stream: [answer], endpoint: [answer] });
    const before = structuredClone(HISTORY);

    const result = await runCompaction(
      compactionInput(HISTORY, { strategies: [strategy, 'trim'] }),
      line.ports,
      line.listener,
      { signal: never() },
    );

    expect(result).toMatchObject({ kind: 'compacted', strategy: 'trim', unavailable: [] });
    expect(line.notices).toEqual([
      expect.stringMatching(/^Compaction by .* did not work: .*\. Trying it by cutting the history\.$/),
    ]);
    expect(HISTORY).toEqual(before); // [CORE-182]
    expect(line.clock.sleepers).toBe(0);
  });
});

test('a stream that stays cut off is begun anew as often as allowed, then the next strategy comes [CORE-181] [CORE-198]', async () => {
  const line = fakeLine({ stream: [TRUNCATED, TRUNCATED, TRUNCATED] });

  const result = await runCompaction(compactionInput(HISTORY), line.ports, line.listener, { signal: never() });

  expect(result).toMatchObject({ kind: 'compacted', strategy: 'trim' });
  expect(line.retries).toEqual([200, 400]);
  expect(line.requests).toHaveLength(3);
});

test('strategies are tried in the configured order and the first good one ends it [CORE-180]', async () => {
  const line = fakeLine({ stream: [[assistant('no item')], [assistant('Short.')]], endpoint: [[]] });

  const result = await runCompaction(
    compactionInput(HISTORY, { strategies: ['endpoint', 'trigger', 'local', 'trim'] }),
    line.ports,
    line.listener,
    { signal: never() },
  );

  expect(result).toMatchObject({ kind: 'compacted', strategy: 'local' });
  expect(line.notices).toHaveLength(2);
  expect(line.requests.map((request) => request.input.at(-1)?.type)).toEqual([
    'message',
    'compaction_trigger',
    'message',
  ]);
});

test.each([
  'unauthorized',
  'quota-exceeded',
  'usage-limit-reached',
  'usage-not-included',
  'dns',
  'connection-failed',
  'proxy',
  'tls',
  'configuration',
] as const)('a failure that the next request would meet as well ends it: %s [CORE-184]', async (code) => {
  const error = failure(code);
  const line = fakeLine({ stream: [error] });

  const result = await runCompaction(compactionInput(HISTORY), line.ports, line.listener, { signal: never() });

  expect(result).toEqual({
    kind: 'failed',
    failures: [{ strategy: 'local', error, freesTooLittle: false }],
    unavailable: [],
  });
  expect(line.notices).toEqual([]);
});

test('a strategy that hangs gets its fair share of the time, the next one the rest [CORE-183]', async () => {
  const line = fakeLine({ stream: ['hang'], endpoint: ['hang'] });
  const running = runCompaction(
    compactionInput(HISTORY, { strategies: ['trigger', 'endpoint', 'trim'] }),
    line.ports,
    line.listener,
    { signal: never() },
  );
  await line.hung(/* count */ 1);
  line.clock.advance(/* ms */ 29_999);
  expect(line.requests).toHaveLength(1);
  line.clock.advance(/* ms */ 1);
  await line.hung(/* count */ 2);
  line.clock.advance(/* ms */ 30_000);

  expect(await running).toMatchObject({ kind: 'compacted', strategy: 'trim' });
  expect(line.notices[0]).toContain('no answer within its time of 30.0 seconds');
  expect(line.clock.sleepers).toBe(0);
});

test('when all of the time is used up, only cutting the history is left [CORE-183]', async () => {
  const line = fakeLine({ stream: [], endpoint: ['hang'] });
  const running = runCompaction(
    compactionInput(HISTORY, { strategies: ['endpoint', 'local', 'trim'] }),
    line.ports,
    line.listener,
    { signal: never() },
  );
  await line.hung(/* count */ 1);
  line.clock.advance(/* ms */ 1_000_000);

  expect(await running).toMatchObject({ kind: 'compacted', strategy: 'trim' });
  expect(line.requests).toHaveLength(1);
});

test('a strategy that does not heed its signal is left behind [CORE-183]', async () => {
  const line = fakeLine({});
  const deaf = { ...line.ports, model: { ...line.ports.model, compact: () => new Promise<never>(() => undefined) } };
  const running = runCompaction(compactionInput(HISTORY, { strategies: ['endpoint', 'trim'] }), deaf, line.listener, {
    signal: never(),
  });
  await line.clock.sleeping();
  line.clock.advance(/* ms */ 60_000);

  expect(await running).toMatchObject({ kind: 'compacted', strategy: 'trim' });
});

test('an abort rejects with its reason, and no timer is left [CORE-185]', async () => {
  const line = fakeLine({ stream: ['hang'] });
  const controller = new AbortController();
  const running = runCompaction(compactionInput(HISTORY), line.ports, line.listener, { signal: controller.signal });
  await line.hung(/* count */ 1);
  const reason = new Error('stop it');
  controller.abort(reason);

  await expect(running).rejects.toBe(reason);
  expect(line.clock.sleepers).toBe(0);
  expect(line.notices).toEqual([]);
  await expect(
    runCompaction(compactionInput(HISTORY), line.ports, line.listener, { signal: controller.signal }),
  ).rejects.toBe(reason);
});

test.each([404, 405, 501])('an endpoint that answers %i is not asked again [CORE-186]', async (httpStatus) => {
  const first = fakeLine({ endpoint: [failure('unexpected-status', { httpStatus })] });
  const strategies = ['endpoint', 'trim'] as const;

  const result = await runCompaction(compactionInput(HISTORY, { strategies }), first.ports, first.listener, {
    signal: never(),
  });
  const second = fakeLine({ endpoint: [] });
  const again = await runCompaction(
    compactionInput(HISTORY, { strategies, unavailable: new Set(result.unavailable) }),
    second.ports,
    second.listener,
    { signal: never() },
  );

  expect(result).toMatchObject({ kind: 'compacted', strategy: 'trim', unavailable: ['endpoint'] });
  expect(again).toMatchObject({ kind: 'compacted', strategy: 'trim', unavailable: [] });
  expect({ requests: second.requests, notices: second.notices }).toEqual({ requests: [], notices: [] });
});

test('a line without the endpoint is not asked for it [CORE-186]', async () => {
  const line = fakeLine({});

  const result = await runCompaction(
    compactionInput(HISTORY, { strategies: ['endpoint'] }),
    line.ports,
    line.listener,
    {
      signal: never(),
    },
  );

  expect(result).toEqual({ kind: 'failed', failures: [], unavailable: [] });
});

test('a result that frees less than a tenth is refused, but trimming may free anything [CORE-187]', async () => {
  const small = [user('x'.repeat(4_000)), assistant('y'.repeat(3_000))];
  const line = fakeLine({ stream: [[assistant('z'.repeat(2_400))]] });

  const result = await runCompaction(compactionInput(small), line.ports, line.listener, { signal: never() });
  const useless = await runCompaction(
    compactionInput([user('hello'), assistant('hi')], { strategies: ['trim'] }),
    line.ports,
    line.listener,
    { signal: never() },
  );

  expect(result).toMatchObject({ kind: 'failed', failures: [{ strategy: 'local' }, { strategy: 'trim' }] });
  expect(line.notices[0]).toContain('it would free too little');
  expect(useless).toMatchObject({ kind: 'failed', failures: [{ strategy: 'trim' }] });
});

test('a result that the target window can not hold is passed over [CORE-188]', async () => {
  const line = fakeLine({ stream: [[assistant('s'.repeat(6_000))]] });

  const result = await runCompaction(compactionInput(HISTORY, { targetWindow: 1_000 }), line.ports, line.listener, {
    signal: never(),
  });

  expect(result).toMatchObject({ kind: 'compacted', strategy: 'trim' });
  expect(line.notices[0]).toMatch(/its result of \d+ tokens does not fit the window of 1000/);
});

test('nothing listens to the signal any more afterwards [CORE-185]', async () => {
  const controller = new AbortController();
  const line = fakeLine({ stream: [failure('invalid-request'), [assistant('Short.')]] });

  await runCompaction(compactionInput(HISTORY, { strategies: ['trigger', 'local'] }), line.ports, line.listener, {
    signal: controller.signal,
  });

  expect({ listeners: getEventListeners(controller.signal, 'abort'), sleepers: line.clock.sleepers }).toEqual({
    listeners: [],
    sleepers: 0,
  });
});

test('what a stream says besides its answer reaches the listener [CORE-198]', async () => {
  const line = fakeLine({ stream: [[assistant('Short.')]] });

  await runCompaction(compactionInput(HISTORY), line.ports, line.listener, { signal: never() });

  expect(line.usages).toHaveLength(1);
});

test('the failure of the last strategy is a ModelError with its cause [CORE-181]', async () => {
  const cause = new TypeError('broken');
  const line = fakeLine({ stream: [cause] });
  const settings = compactionSettings();

  const result = await runCompaction(
    compactionInput(HISTORY, {
      settings: { ...settings, compaction: { ...settings.compaction, strategies: ['local'] } },
    }),
    line.ports,
    line.listener,
    { signal: never() },
  );

  const [failed] = result.kind === 'failed' ? result.failures : [];
  expect(failed?.error).toBeInstanceOf(ModelError);
  expect(failed?.error.cause).toBe(cause);
  expect(shape(HISTORY)).toHaveLength(4);
});
