import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['quire-source'] },
  ssr: { resolve: { conditions: ['quire-source'], externalConditions: ['quire-source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'tools/test/**/*.test.{ts,js}', 'test/**/*.test.ts'],
    // Processes of their own: some tests measure memory, and most of them wait for other processes.
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism() - 1),
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
