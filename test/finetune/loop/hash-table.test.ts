import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bltTensors } from '../../../src/blt/index.js';
import type { PackedRow } from '../../../src/data/index.js';
import { tf } from '../../../src/engine/index.js';
import { checkpointName, readTrainerState, saveCheckpoint } from '../../../src/finetune/loop/checkpoint.js';
import { createTrainStep } from '../../../src/finetune/loop/train-step.js';
import { openTrainingState } from '../../../src/finetune/loop/training-state.js';
import { openCheckpoint, openSafetensorsFile } from '../../../src/safetensors/index.js';
import { maxDifference } from '../../support/golden.js';
import { ints, taken } from '../../support/modes.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { ADAMW, openTraining, packerOf, TABLE, type Training } from '../../support/training.js';
import { inputOf, LENGTH, useGoldenTraining } from '../support/golden-training.js';

const golden = useGoldenTraining();

const RATE = 1e-2;

async function rowsOf(count: number): Promise<PackedRow[]> {
  return await packerOf(LENGTH, 9).next(count);
}

/** The bits of each row of the table: of its values, first moments and second moments. */
function tableBits({ trainingState }: Training): string[][] {
  const { value, first, second } = trainingState.table!;
  return taken([value.read(), first.read(), second!.read()]).map((values) => {
    const width = value.shape[1]!;
    return Array.from({ length: value.shape[0]! }, (_, row) =>
      Buffer.from(values.slice(row * width, (row + 1) * width).buffer).toString('hex'),
    );
  });
}

describe('a training step', () => {
  it.each(['eager', 'graph'] as const)(
    'does not change a bit of the rows that it does not read, neither values nor moments (%s)',
    async (mode) => {
      const training = await openTraining({ start: golden.start, mode });
      const seen = new Set<number>();
      for (const row of await rowsOf(3)) {
        const input = inputOf(golden.start, [row]);
        const read = new Set(input.sparseRows!.indices.subarray(0, input.sparseRows!.count));
        const before = tableBits(training);
        await training.step(input, RATE);
        const after = tableBits(training);
        after.forEach((rows, which) => {
          const changed = rows.flatMap((bits, at) => (bits === before[which]![at] ? [] : [at]));
          expect(changed.filter((at) => !read.has(at))).toEqual([]);
          // Nothing is predicted after the last byte, so rows that only it reads may stay unchanged.
          expect(changed.length).toBeGreaterThan(0.8 * read.size);
        });
        // The test covers rows that already have moments and are not read in this step.
        if (seen.size > 0) expect([...seen].some((at) => !read.has(at))).toBe(true);
        for (const at of read) seen.add(at);
      }
      training.close();
    },
  );

  it('leaves the spare row zero, although the padding of the row indices points to it', async () => {
    const training = await openTraining({ start: golden.start, mode: 'graph' });
    for (const row of await rowsOf(2)) {
      const input = inputOf(golden.start, [row]);
      expect(input.sparseRows!.count).toBeLessThan(input.sparseRows!.indices.length);
      await training.step(input, RATE);
    }
    const zeros = '00'.repeat(4 * golden.start.config.encoder.hiddenSize);
    expect(tableBits(training).map((rows) => rows.at(-1))).toEqual([zeros, zeros, zeros]);
    training.close();
  });

  it('reads a frozen table without updating it', async () => {
    const training = await openTraining({ start: golden.start, mode: 'graph', frozen: ['hash'] });
    expect(training.trainingState.table).toBe(null);
    const other = await openTraining({ start: golden.start, mode: 'graph' });
    const [row] = (await rowsOf(1)) as [PackedRow];
    const { whole, weight } = inputOf(golden.start, [row]);
    const frozen = await training.step({ batches: whole, sparseRows: null, weight }, RATE);
    const trained = await other.step(inputOf(golden.start, [row]), RATE);
    expect(frozen.loss).toBeCloseTo(trained.loss, 5);
    expect(frozen.gradientNorm).toBeLessThan(trained.gradientNorm);
    const frozenValues = taken([training.trainingState.frozen.get(TABLE)!.read()])[0]!;
    expect(frozenValues).toEqual(golden.start.weights.get(TABLE)!.values);
    training.close();
    other.close();
  });
});

describe('a checkpoint of the hash table', () => {
  const folder = temporaryFolder();

  it('leaves out the spare row, and resuming from it gives the same next step as not stopping', async () => {
    const before = golden.engine.liveHandles();
    const training = await openTraining({ start: golden.start, mode: 'graph' });
    const { config, reader } = golden.start;
    const specs = bltTensors(config);
    const [one, two] = (await rowsOf(2)) as [PackedRow, PackedRow];
    await training.step(inputOf(golden.start, [one]), RATE);
    // The contents of the spare row must not matter.
    const { value, first, second } = training.trainingState.table!;
    const [at, sevens] = [ints([value.shape[0]! - 1]), tf.fill([1, value.shape[1]!], 7)];
    for (const variable of [value, first, second!]) variable.scatterRows(at, sevens);
    tf.dispose([at, sevens]);
    const state = {
      step: 1,
      packer: { epoch: 0, place: 3, offset: 5, row: 7 },
      room: { patches: 24, tokens: 16 },
      flops: 123456789012,
      mode: 'graph' as const,
      metrics: {},
      settings: 's',
    };
    const { parameters, mergedValue } = training.trainingState;
    await saveCheckpoint({
      run: folder(),
      root: folder(),
      config,
      specs,
      parameters,
      mergedValue,
      start: reader,
      state,
      keep: 1,
    });
    expect(await readTrainerState(folder(), 1)).toEqual(state);

    const saved = await openCheckpoint(join(folder(), checkpointName(1)));
    const moments = await openSafetensorsFile(join(folder(), checkpointName(1), 'optimizer.safetensors'));
    const bits = tableBits(training).map((rows) => rows.slice(0, -1).join(''));
    const parts = [
      [saved, TABLE],
      [moments, `${TABLE}.first`],
      [moments, `${TABLE}.second`],
    ] as const;
    for (const [i, [file, name]] of parts.entries()) {
      expect(file.tensors.get(name)!.shape).toEqual(golden.start.weights.get(TABLE)!.shape);
      expect(Buffer.from(await file.read(name)).toString('hex') === bits[i], name).toBe(true);
    }
    expect(moments.tensors.size).toBe(2 * parameters.length);
    await saved.close();
    await moments.close();

    const from = { run: folder(), step: 1 };
    const common = {
      objective: training.objective,
      specs,
      learningRateScale: {},
      muonScale: null,
      moments: 'float32' as const,
      seed: 1,
    };
    const resumed = await openTrainingState({ ...common, start: reader, from });
    expect(resumed.parameters.map(({ name }) => name)).toEqual(parameters.map(({ name }) => name));
    for (const [i, parameter] of resumed.parameters.entries()) {
      for (const which of ['value', 'first', 'second'] as const) {
        const [found, wanted] = taken([parameter[which]!.read(), parameters[i]![which]!.read()]) as [
          Float32Array,
          Float32Array,
        ];
        const own = golden.start.weights.get(parameter.name)!.values.length;
        expect(found.subarray(0, own), `${parameter.name} ${which}`).toEqual(wanted.subarray(0, own));
        expect(found.subarray(own).every((value) => value === 0)).toBe(true);
      }
    }
    const { dense, table, frozen } = resumed;
    const { objective } = training;
    const options = { objective, parameters: dense, table, frozen, adamw: ADAMW, clipNorm: 1 };
    const how = { mode: 'graph', precision: 'float32', gradientCheckpointing: false } as const;
    const stepper = createTrainStep({ ...options, ...how });
    const found = await stepper.run({ ...inputOf(golden.start, [two]), step: 2, learningRate: RATE });
    const wanted = await training.step(inputOf(golden.start, [two]), RATE);
    expect(found.loss).toBeCloseTo(wanted.loss, 5);
    expect(found.gradientNorm).toBeCloseTo(wanted.gradientNorm, 5);
    const weights = training.weights();
    for (const { name, value } of resumed.parameters) {
      const own = golden.start.weights.get(name)!.values.length;
      const [after] = taken([value.read()]) as [Float32Array];
      expect(maxDifference(after.subarray(0, own), weights.get(name)!.subarray(0, own)), name).toBeLessThan(1e-6);
    }
    stepper.dispose();
    resumed.dispose();
    training.close();
    expect(golden.engine.liveHandles(), 'handles leaked').toBe(before);
  });
});
