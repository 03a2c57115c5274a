import { defineConfig } from 'vitest/config';

// One process per file keeps TensorFlow's threads and memory apart; two files at a time suits two cores.
const shared = { testTimeout: 120_000, hookTimeout: 600_000, pool: 'forks' as const, maxWorkers: 2 };

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/peers/**'] } },
      { test: { ...shared, name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 900_000, maxWorkers: 1 } },
      { test: { ...shared, name: 'peers', include: ['test/peers/**/*.test.ts'], testTimeout: 900_000, maxWorkers: 1 } },
    ],
  },
});
