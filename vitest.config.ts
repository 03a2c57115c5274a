import { defineConfig } from 'vitest/config';

// One process per file keeps TensorFlow's threads and memory apart; two files at a time suits two cores.
const conversions = { globalSetup: ['test/support/shared-folder.ts'], testTimeout: 900_000, maxWorkers: 1 };
const shared = { testTimeout: 120_000, hookTimeout: 600_000, pool: 'forks' as const, maxWorkers: 2 };

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/peers/**'] } },
      { test: { ...shared, ...conversions, name: 'e2e', include: ['test/e2e/**/*.test.ts'] } },
      { test: { ...shared, ...conversions, name: 'peers', include: ['test/peers/**/*.test.ts'] } },
    ],
  },
});
