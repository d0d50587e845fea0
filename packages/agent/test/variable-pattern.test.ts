import { expect, test } from 'vitest';
import { fitsOne } from '../src/variable-pattern.ts';

const cases: readonly (readonly [pattern: string, name: string, fits: boolean])[] = [
  ['AWS_*', 'AWS_REGION', true],
  ['aws_*', 'AWS_', true],
  ['AWS_*', 'MY_AWS_REGION', false],
  ['*key*', 'MY_KEY_2', true],
  ['*KEY', 'MY_KEY_2', false],
  ['*K*Y*2', 'MY_KEY_2', true],
  ['MY?KEY', 'my_key', true],
  ['MY?KEY', 'MYKEY', false],
  ['MY?KEY', 'MY__KEY', false],
  ['*', 'ANY', true],
  ['**', '', true],
  ['', 'ANY', false],
  ['', '', true],
  ['[A-Z]*', 'ANY', false],
  ['P.TH', 'PATH', false],
  ['P.TH', 'p.th', true],
  ['?', '🎈', true],
  ['ä*', 'ÄB', true],
];

test.each(cases)('%j on %j is %s [CMD-73]', (pattern, name, fits) => {
  expect(fitsOne(name, ['nothing', pattern])).toBe(fits);
});

test('without patterns nothing fits [CMD-73]', () => {
  expect(fitsOne('ANY', [])).toBe(false);
});

test('a pattern of many stars is told at once on a name that nearly fits it [CMD-73]', () => {
  const name = 'a'.repeat(20_000);
  const cpuBefore = process.cpuUsage();
  expect(fitsOne(name, [`${'*a'.repeat(50)}*b`])).toBe(false);
  expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(2_000);
});
