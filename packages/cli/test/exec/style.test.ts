import { expect, test } from 'vitest';
import { createStyle, wantsColor } from '../../src/exec/style.ts';

test('colours follow the option, then the environment, then the terminal [EXEC-54]', () => {
  const rows = [
    [{ choice: 'always', isTerminal: false, environment: { NO_COLOR: '1' } }, true],
    [{ choice: 'never', isTerminal: true, environment: { FORCE_COLOR: '1' } }, false],
    [{ choice: 'auto', isTerminal: true, environment: {} }, true],
    [{ choice: 'auto', isTerminal: false, environment: {} }, false],
    [{ choice: 'auto', isTerminal: true, environment: { TERM: 'dumb' } }, false],
    [{ choice: 'auto', isTerminal: true, environment: { NO_COLOR: '1', FORCE_COLOR: '1' } }, false],
    [{ choice: 'auto', isTerminal: true, environment: { NO_COLOR: '' } }, true],
    [{ choice: 'auto', isTerminal: false, environment: { FORCE_COLOR: '1' } }, true],
    [{ choice: 'auto', isTerminal: true, environment: { FORCE_COLOR: '0' } }, false],
  ] as const;
  expect(rows.map(([options]) => wantsColor(options))).toEqual(rows.map(([, expected]) => expected));
});

test('without colours text stays as it is [EXEC-54]', () => {
  expect(createStyle({ color: false }).red('x')).toBe('x');
  expect(createStyle({ color: true }).red('x')).toBe('\u001b[31mx\u001b[39m');
});
