import { beforeAll, describe, expect, it } from 'vitest';
import type { PackedRow } from '../../../src/data/index.js';
import { type RunMode, tf } from '../../../src/engine/index.js';
import { createBatchSource } from '../../../src/finetune/batches/batch-source.js';
import type { StepBatch } from '../../../src/finetune/batches/step-batch.js';
import type { StepOutput } from '../../../src/finetune/loop/train-step.js';
import { maxDifference } from '../../support/golden.js';
import { ints, MODES, relativeDifference, taken } from '../../support/modes.js';
import { createReference } from '../../support/reference-training.js';
import {
  ADAMW,
  goldenStart,
  madeUpEntropies,
  NEXT_BYTE_BATCHES,
  openTraining,
  packerOf,
  patchCapacity,
  type Start,
  TABLE,
  type Training,
  type TrainingOptions,
} from '../../support/training.js';
import { inputOf, LENGTH, useGoldenTraining } from '../support/golden-training.js';

const golden = useGoldenTraining();

const RATE = 1e-3;

/** The batches of some steps, prepared as in a run. */
async function batchesOf(count: number, rowsPerStep: number, microBatchRows: number): Promise<StepBatch[]> {
  const { config } = golden.start;
  const source = createBatchSource({
    rows: { kind: 'given', rows: await packerOf(LENGTH).next(count * rowsPerStep) },
    ...NEXT_BYTE_BATCHES,
    config,
    rowsPerStep,
    microBatchRows,
    runPatcher: async ({ ids }) => ({ entropies: madeUpEntropies(ids, config), endProbabilities: null }),
    capacity: patchCapacity(LENGTH),
  });
  const batches: StepBatch[] = [];
  while (batches.length < count) batches.push(await source.next());
  await source.close();
  return batches;
}

interface Run {
  readonly outputs: StepOutput[];
  readonly weights: Map<string, Float32Array>;
}

/** Takes steps and checks that no tensor leaks. */
async function run(options: TrainingOptions, batches: readonly StepBatch[], rate = RATE): Promise<Run> {
  const before = golden.engine.liveHandles();
  const training = await openTraining(options);
  const outputs: StepOutput[] = [];
  for (const batch of batches) outputs.push(await training.step(batch, rate));
  const weights = training.weights();
  training.close();
  expect(golden.engine.liveHandles(), 'handles leaked').toBe(before);
  return { outputs, weights };
}

function expectSame(found: Run, wanted: Run, tolerance: number): void {
  wanted.outputs.forEach(({ loss, gradientNorm }, step) => {
    expect(Math.abs(found.outputs[step]!.loss - loss), `loss of step ${step}`).toBeLessThan(tolerance);
    expect(found.outputs[step]!.gradientNorm / gradientNorm, `norm of step ${step}`).toBeCloseTo(1, 3);
  });
  expect([...found.weights.keys()]).toEqual([...wanted.weights.keys()]);
  for (const [name, values] of wanted.weights)
    expect(maxDifference(found.weights.get(name)!, values), name).toBeLessThan(tolerance);
}

describe('five steps of the plain golden model', () => {
  const runs = new Map<RunMode, Run>();
  let batches: StepBatch[];
  beforeAll(async () => {
    batches = await batchesOf(5, 3, 3);
    for (const mode of MODES) runs.set(mode, await run({ start: golden.start, mode }, batches));
  });

  it.each(['graph', 'xla'] as const)('give the same losses, norms and weights as eager steps: %s', (mode) => {
    expectSame(runs.get(mode)!, runs.get('eager')!, 1e-4);
  });

  it('change every parameter and lower the loss on their batches', async () => {
    const { weights, outputs } = runs.get('graph')!;
    for (const [name, values] of weights) {
      const was = golden.start.weights.get(name)!.values;
      expect(maxDifference(values.subarray(0, was.length), was), name).toBeGreaterThan(RATE / 2);
    }
    const again = await run({ start: golden.start, mode: 'graph' }, Array(9).fill(batches[0]));
    expect(again.outputs.at(-1)!.loss).toBeLessThan(outputs[0]!.loss - 0.05);
  });

  it('give the same results with gradient checkpointing', async () => {
    expectSame(
      await run({ start: golden.start, mode: 'graph', gradientCheckpointing: true }, batches),
      runs.get('graph')!,
      1e-4,
    );
  });

  // Each step changes a weight by about the learning rate. Moments have a relative precision of 1/256 in bfloat16 and a few percent in 8 bits.
  it.each([
    { moments: 'bfloat16', share: 0.2 },
    { moments: '8-bit', share: 0.6 },
  ] as const)('stay close to the results of float32 moments with $moments moments', async ({ moments, share }) => {
    const found = await run({ start: golden.start, mode: 'graph', moments }, batches);
    const whole = runs.get('graph')!;
    whole.outputs.forEach(({ loss }, step) => {
      expect(Math.abs(found.outputs[step]!.loss - loss), `loss of step ${step}`).toBeLessThan(0.01);
    });
    for (const [name, values] of whole.weights) {
      const difference = maxDifference(found.weights.get(name)!, values);
      expect(difference, name).toBeLessThan(5 * RATE * share);
    }
    expect(maxDifference(found.weights.get('lm_head.weight')!, whole.weights.get('lm_head.weight')!)).toBeGreaterThan(
      0,
    );
  });
});

describe('a step of several micro-batches', () => {
  let whole: Run;
  let rows: StepBatch[];
  beforeAll(async () => {
    rows = await batchesOf(3, 5, 5);
    whole = await run({ start: golden.start, mode: 'graph' }, rows);
  });

  it.each([
    { size: 1, count: 5, mode: 'graph' as const },
    { size: 2, count: 3, mode: 'graph' as const },
    { size: 3, count: 2, mode: 'graph' as const },
  ])('equals a step of one: $count micro-batches of $size rows, $mode', async ({ size, count, mode }) => {
    const batches = await batchesOf(3, 5, size);
    expect(batches.map((batch) => batch.batches.length)).toEqual([count, count, count]);
    batches.forEach(({ weight, bytes }, i) => {
      expect([weight, bytes]).toEqual([rows[i]!.weight, rows[i]!.bytes]);
    });
    const found = await run({ start: golden.start, mode }, batches);
    expectSame(found, whole, 1e-4);
  });

  it('weights micro-batches by their positions, which differ here', async () => {
    const [batch] = (await batchesOf(1, 5, 1)) as [StepBatch];
    const weights = batch.batches.map(({ weights }) => weights!.reduce((a, b) => a + b, 0));
    expect(new Set(weights).size).toBeGreaterThan(1);
    expect(weights.reduce((a, b) => a + b, 0)).toBe(batch.weight);
  });
});

describe('training steps match AdamW in double precision with dense gradients', () => {
  const ROWS = 2;
  const STEPS = 4;
  const rate = 1e-2;

  async function rowsOf(steps: number): Promise<PackedRow[][]> {
    const packer = packerOf(LENGTH, 5);
    const rows: PackedRow[][] = [];
    while (rows.length < steps) rows.push(await packer.next(ROWS));
    return rows;
  }

  /** Compares steps with the reference. @param lazy whether rows that a step does not read stay unchanged. */
  async function compareSteps(from: Start, mode: RunMode, clipNorm: number, lazy: boolean) {
    const training = await openTraining({ start: from, mode, clipNorm });
    const reference = createReference({ start: from, objective: training.objective, adamw: ADAMW, clipNorm });
    const norms: number[] = [];
    const counts: number[] = [];
    for (const rows of await rowsOf(STEPS)) {
      const input = inputOf(from, rows);
      const read = input.sparseRows!.indices.subarray(0, input.sparseRows!.count);
      const wanted = reference.step({ ...input, learningRate: rate, rows: lazy ? new Set(read) : null });
      const found = await training.step(input, rate);
      expect(found.loss).toBeCloseTo(wanted.loss, 4);
      expect(found.gradientNorm / wanted.norm).toBeCloseTo(1, 4);
      norms.push(wanted.norm);
      counts.push(input.sparseRows!.count);
    }
    for (const { name, value, first, second } of training.trainingState.parameters) {
      const wanted = reference.parameters.get(name)!;
      const [x, m, v] = taken([value.read(), first.read(), second!.read()]) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const own = (values: Float32Array) => values.subarray(0, wanted.value.length);
      // A thousandth of the largest possible change.
      expect(maxDifference(own(x), wanted.value), name).toBeLessThan(1e-3 * STEPS * rate);
      expect(relativeDifference(own(m), wanted.first, 1e-4), `${name}, first`).toBeLessThan(1e-3);
      expect(relativeDifference(own(v), wanted.second, 1e-8), `${name}, second`).toBeLessThan(1e-3);
    }
    training.close();
    return { norms, counts };
  }

  it.each(['graph', 'xla'] as const)('%s: for a small table of which every step reads all rows', async (mode) => {
    const small = await goldenStart({ sizes: [3, 4], functions: 1, vocab: 5 });
    expect((await compareSteps(small, mode, 1e9, false)).counts).toEqual([10, 10, 10, 10]);
  });

  it('for a large table whose rows move, and whose moments decay, only in steps that read them', async () => {
    const { counts } = await compareSteps(golden.start, 'graph', 1e9, true);
    for (const count of counts) expect(count).toBeLessThan(golden.start.weights.get(TABLE)!.shape[0]! / 2);
  });

  it.each(['eager', 'graph'] as const)('%s: when every step is clipped', async (mode) => {
    const { norms } = await compareSteps(golden.start, mode, 0.1, true);
    for (const norm of norms) expect(norm).toBeGreaterThan(0.2);
  });

  it('with first moments whose norm after one step is that of the clipped gradient', async () => {
    const training: Training = await openTraining({ start: golden.start, mode: 'graph', clipNorm: 0.1 });
    const [rows] = (await rowsOf(1)) as [PackedRow[]];
    await training.step(inputOf(golden.start, rows), rate);
    const squares = training.trainingState.parameters.map(({ first }) => {
      const [values] = taken([first.read()]) as [Float32Array];
      return values.reduce((sum, value) => sum + value * value, 0);
    });
    expect(Math.sqrt(squares.reduce((a, b) => a + b, 0)) / (1 - ADAMW.betas[0])).toBeCloseTo(0.1, 4);
    training.close();
  });
});

it('a training step does not treat padding as reading row 0 of the table', async () => {
  const training = await openTraining({ start: golden.start, mode: 'graph' });
  const rows = await packerOf(LENGTH, 9).next(20);
  const end = (row: (typeof rows)[number]) => row.documents.at(-1)!.end;
  const inputs = rows
    .filter((row) => end(row) < LENGTH)
    .map((row) => ({ end: end(row), input: inputOf(golden.start, [row]) }));
  // A padded row none of whose bytes reads row 0 of the table.
  const { input } = inputs.find(({ end, input: { whole } }) => {
    const { hashRows, length } = whole[0]!;
    return !hashRows.subarray(0, (end * hashRows.length) / length).includes(0);
  })!;
  const { value, first } = training.trainingState.table!;
  const [at, some] = [ints([0]), tf.fill([1, value.shape[1]!], 1e-3)];
  first.scatterRows(at, some); // as if an earlier step had updated it
  const before = taken([value.gatherRows(at)])[0]!;
  await training.step(input, 1e-2);
  expect([...taken([value.gatherRows(at)])[0]!]).toEqual([...before]);
  tf.dispose([at, some]);
  training.close();
});
