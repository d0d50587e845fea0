import { expect, test } from 'vitest';
import { ageOf, titleOf } from '../../src/thread/summary-format.ts';

test('an age is rounded down, and a date from two weeks on [THR-01]', () => {
  const nowMs = Date.UTC(2026, 0, 31, 12);
  const minutes = (count: number): string => ageOf(nowMs - count * 60_000, nowMs);
  expect([-5, 0, 1, 59, 60, 23 * 60, 24 * 60, 14 * 24 * 60 - 1, 14 * 24 * 60].map(minutes)).toEqual([
    'now',
    'now',
    '1 min',
    '59 min',
    '1 h',
    '23 h',
    '1 d',
    '13 d',
    '2026-01-17',
  ]);
});

test('a title is one line and cut, never within a character [THR-01]', () => {
  expect(titleOf({ name: undefined, preview: ' ' })).toBe('(empty)');
  expect(titleOf({ name: undefined, preview: 'a\nb' })).toBe('a⏎b');
  expect(titleOf({ name: 'n', preview: 'a' })).toBe('n');
  expect(titleOf({ name: 'e\u0301a界b', preview: '' }, /* columns */ 5)).toBe('e\u0301a界b');
  expect(titleOf({ name: '界界界', preview: '' }, /* columns */ 5)).toBe('界界…');
  expect(titleOf({ name: '😀'.repeat(73), preview: '' })).toBe(`${'😀'.repeat(71)}…`);
});
