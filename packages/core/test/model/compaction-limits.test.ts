import type { ModelInfo } from '@quire/protocol';
import { expect, test } from 'vitest';
import { findModel } from '../../src/model/catalog.ts';
import {
  autoCompactLimit,
  isContextLimitReached,
  needsDownshiftCompaction,
} from '../../src/model/compaction-limits.ts';
import type { ThreadSettings } from '../../src/thread/settings.ts';

function modelOf(slug: string, contextWindow: number | undefined, limit?: number): ModelInfo {
  const base = { ...findModel(slug), contextWindow };
  return limit === undefined ? base : { ...base, autoCompactTokenLimit: limit };
}

function settingsOf(model: ModelInfo, configured?: number): Pick<ThreadSettings, 'model' | 'compaction'> {
  return {
    model,
    compaction: { strategies: [], deadlineMs: 1, autoCompactTokenLimit: configured, prompt: undefined, ledger: false },
  };
}

test.each([
  { window: 100_001, catalog: undefined, configured: undefined, limit: 90_000 },
  { window: 100_000, catalog: 50_000, configured: undefined, limit: 50_000 },
  { window: 100_000, catalog: 50_000, configured: 70_000, limit: 70_000 },
  { window: 100_000, catalog: 99_000, configured: undefined, limit: 90_000 },
  { window: 100_000, catalog: undefined, configured: 95_000, limit: 90_000 },
  { window: 100_000, catalog: undefined, configured: 0, limit: 90_000 },
  { window: undefined, catalog: 50_000, configured: undefined, limit: 50_000 },
  { window: undefined, catalog: undefined, configured: 7, limit: 7 },
  { window: undefined, catalog: undefined, configured: undefined, limit: undefined },
])(
  'the limit for $window, $catalog, $configured is $limit tokens [CORE-213]',
  ({ window, catalog, configured, limit }) => {
    expect(autoCompactLimit(modelOf('gpt-5.2', window, catalog), configured)).toBe(limit);
  },
);

test('the limit is reached at its own number of tokens [CORE-213]', () => {
  const settings = settingsOf(modelOf('gpt-5.2', /* contextWindow */ 100_000));

  expect([89_999, 90_000].map((tokens) => isContextLimitReached(settings, tokens))).toEqual([false, true]);
  expect(
    isContextLimitReached(settingsOf(modelOf('gpt-5.2', /* contextWindow */ undefined)), /* activeTokens */ 10_000_000),
  ).toBe(false);
});

test.each([
  {
    name: 'over the new limit',
    previous: ['gpt-5.1', 200_000],
    next: ['gpt-5.2', 100_000],
    active: 90_001,
    needed: true,
  },
  {
    name: 'just at the new limit',
    previous: ['gpt-5.1', 200_000],
    next: ['gpt-5.2', 100_000],
    active: 90_000,
    needed: false,
  },
  {
    name: 'a larger window',
    previous: ['gpt-5.1', 100_000],
    next: ['gpt-5.2', 200_000],
    active: 199_000,
    needed: false,
  },
  {
    name: 'the same window',
    previous: ['gpt-5.1', 100_000],
    next: ['gpt-5.2', 100_000],
    active: 99_000,
    needed: false,
  },
  { name: 'the same model', previous: ['gpt-5.2', 200_000], next: ['gpt-5.2', 100_000], active: 99_000, needed: false },
  {
    name: 'an unknown window',
    previous: ['gpt-5.1', undefined],
    next: ['gpt-5.2', 100_000],
    active: 99_000,
    needed: false,
  },
] as const)('the previous model compacts first: $name, $needed [CORE-214]', ({ previous, next, active, needed }) => {
  const decision = needsDownshiftCompaction({
    previous: settingsOf(modelOf(previous[0], previous[1])),
    next: settingsOf(modelOf(next[0], next[1])),
    activeTokens: active,
  });

  expect(decision).toBe(needed);
});

test('a usable window below the limit counts as well [CORE-214]', () => {
  const next = { ...modelOf('gpt-5.2', /* contextWindow */ 100_000), effectiveContextWindowPercent: 50 };
  const sizes = [49_999, 50_000].map((activeTokens) =>
    needsDownshiftCompaction({
      previous: settingsOf(modelOf('gpt-5.1', /* contextWindow */ 200_000)),
      next: settingsOf(next),
      activeTokens,
    }),
  );

  expect(sizes).toEqual([false, true]);
});
