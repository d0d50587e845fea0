import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['quire-source'] },
  ssr: { resolve: { conditions: ['quire-source'], externalConditions: ['quire-source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'tools/test/**/*.test.{ts,js}', 'test/**/*.test.ts'],
    pool: 'threads',
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
