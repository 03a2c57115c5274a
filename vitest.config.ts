import { defineConfig } from 'vitest/config';

/**
 * One process per file keeps TensorFlow's threads and memory apart; two files at a time suits two cores, since compiling, reading and
 * starting up use one. A limit on time is there for what hangs, not to measure: machines differ by ten times.
 */
const shared = { testTimeout: 600_000, hookTimeout: 900_000, pool: 'forks' as const, maxWorkers: 2 };
const conversions = { globalSetup: ['test/support/shared-folder.ts'], testTimeout: 900_000 };
/** What measures time or the memory of the machine, and runs alone for it. */
const MEASURING = ['data-wait', 'memory', 'plan-memory', 'threads'].map((name) => `test/e2e/${name}.test.ts`);

/** Of projects alone: what a global set-up writes into the environment, the tests of every other project see as well. */
const openXla = { globalSetup: ['test/support/openxla.ts'], env: { BYTEIFY_DEVICE: 'cpu-xla' } };

/** What runs on OpenXLA only. */
const OPENXLA_ALONE = ['test/engine/{openxla,pjrt}/*.test.ts', 'test/check-gpu/trial.test.ts'];

/** What computes the same on every executor. */
const ON_OPENXLA = [
  'test/engine/{chunks,compile,gradients,kernels,range-sums,retraced-function,storage,variables}.test.ts',
  ...OPENXLA_ALONE,
  'test/model/{attention,compiled-golden,llama}.test.ts',
  'test/finetune/loop/hash-table.test.ts',
];

/** More of the same: these compile for many minutes, so they run on request. */
const ON_OPENXLA_SLOW = [
  'test/engine/leak.test.ts',
  'test/model/{blt,golden}.test.ts',
  'test/finetune/loop/{gradient-accumulation,precision,train-step}.test.ts',
  'test/finetune/optimizers/*.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/peers/**', 'test/spark/**', 'test/engine/openxla/**'],
        },
      },
      {
        test: {
          ...shared,
          ...conversions,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: MEASURING,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          ...conversions,
          name: 'e2e-alone',
          include: MEASURING,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      // The same tests on XLA's plugin for the CPU, which runs what a GPU would run.
      {
        test: {
          ...shared,
          ...openXla,
          name: 'openxla',
          include: ON_OPENXLA,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...shared,
          ...openXla,
          name: 'slow-openxla',
          include: ON_OPENXLA_SLOW,
        },
      },
      {
        test: {
          ...shared,
          ...conversions,
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      // On request: Spark is a download of 450 MB.
      {
        test: {
          ...shared,
          name: 'spark',
          include: ['test/spark/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      // Of the sources alone, those that no test loads among them. Commands that tests run in processes of their own are not counted.
      include: ['src/**/*.ts'],
      reporter: [['json-summary'], ['text-summary']],
      reportOnFailure: true,
    },
  },
});
