import { afterEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/index.ts';

afterEach(() => {
  vi.doUnmock('smol-toml');
});

test('without a file and with everyday overrides the TOML library is not loaded [STORE-14]', async () => {
  vi.doMock('smol-toml', () => {
    throw new Error('loaded');
  });
  const load = (override: string) =>
    loadConfig({ home: '/nonexistent', cwd: '/', overrides: [override], environment: {} }).then(
      (config) => config.model,
      (error: unknown) => (error instanceof Error ? String(error.cause) : error),
    );
  expect([await load('model="o3"'), await load('model=o3'), await load('model="\\u006f3"')]).toEqual([
    'o3',
    'o3',
    'Error: loaded',
  ]);
});
