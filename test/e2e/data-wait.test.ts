import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes } from '../../src/blt/index.js';
import { type Finished, runCli } from '../support/cli.js';
import { OWN_TEXT } from '../support/conversions.js';
import { writeRandomBlt } from '../support/random-blt.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-wait-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Four of SmolLM2-135M's layers, with the local models and the patcher derived from its width. */
const SOURCE = {
  hiddenSize: 576,
  layers: 4,
  heads: 9,
  kvHeads: 3,
  intermediateSize: 1536,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 100_000 },
} as const;

const RECIPE = `name: wait
stages:
  - kind: end-to-end
    steps: 12
    batch_bytes: 2048
    sequence_length: 512
    micro_batch_size: 4
    learning_rate: 1.0e-4
    validate_every: 12
    checkpoint_every: 12
evaluate:
  validation_bytes: 256
`;

/** The reference for the 5 %: on a faster machine a step may take less time, but preparing its data does not. */
const REAL_STEP_MS = 200;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

let result: Finished;
let steps: { data_wait_fraction: number; bytes: number; bytes_per_second: number }[];
beforeAll(async () => {
  const blt = join(work, 'blt');
  const config = bltConfigFor(SOURCE, deriveLocalSizes(SOURCE));
  // An untrained patcher is uncertain everywhere, so patches of four bytes instead of one are used.
  await writeRandomBlt(blt, { ...config, patching: { threshold: 6, maxPatchLength: 4 } });
  await writeFile(join(work, 'recipe.yaml'), RECIPE);
  const out = join(work, 'out');
  const args = ['finetune', blt, '--out', out, '--recipe', join(work, 'recipe.yaml'), '--data', ...OWN_TEXT];
  result = await runCli(args);
  const lines = (await readFile(join(out, 'run', 'metrics.jsonl'), 'utf8')).trim().split('\n');
  // The first step starts the thread and traces.
  steps = lines.map((line) => JSON.parse(line)).filter(({ step, bytes }) => step > 1 && bytes !== undefined);
});

describe('preparing data', () => {
  it('never keeps the step waiting: the loop is idle for less than 5 % of a real step', async () => {
    expect(result).toMatchObject({ code: 0 });
    expect(steps).toHaveLength(11);
    const stepMs = median(steps.map(({ bytes, bytes_per_second }) => (1000 * bytes) / bytes_per_second));
    // The median step, because other processes may delay one or two.
    const waitMs = median(steps.map(({ data_wait_fraction }) => data_wait_fraction)) * stepMs;
    expect(waitMs, `of ${stepMs} ms`).toBeLessThan(0.05 * Math.max(stepMs, REAL_STEP_MS));
  });

  it('is recorded in the metrics of the stage if the step waited', async () => {
    const manifest = JSON.parse(await readFile(join(work, 'out', 'byteify.json'), 'utf8'));
    const total = (of: (step: (typeof steps)[number]) => number) => steps.reduce((sum, step) => sum + of(step), 0);
    const seconds = (step: (typeof steps)[number]) => step.bytes / step.bytes_per_second;
    const share = total((step) => step.data_wait_fraction * seconds(step)) / total(seconds);
    expect(manifest.stages.finetune.metrics.data_wait_fraction).toBeCloseTo(share, 9);
  });
});
