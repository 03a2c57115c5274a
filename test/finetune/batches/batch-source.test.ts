import { describe, expect, it } from 'vitest';
import { BOS } from '../../../src/blt/index.js';
import type { PackedRow } from '../../../src/data/index.js';
import { createBatchSource } from '../../../src/finetune/batches/batch-source.js';
import type { StepBatch } from '../../../src/finetune/batches/step-batch.js';
import { maxDifference } from '../../support/golden.js';
import { NEXT_BYTE_BATCHES, openTraining, patchCapacity } from '../../support/training.js';
import { LENGTH, useGoldenTraining } from '../support/golden-training.js';

const golden = useGoldenTraining();

/** Bytes per patch in each step: the number of patches grows, then falls. */
const BYTES_PER_PATCH = [12, 6, 12, 3, 8];

/** A row of one document. The patcher below reads its second id as the number of bytes per patch. */
function row(bytesPerPatch: number, salt: number): PackedRow {
  const ids = Int32Array.from({ length: LENGTH }, (_, i) => (i === 0 ? BOS : 100 + ((i * 7 + salt) % 50)));
  ids[1] = 4 + bytesPerPatch;
  const targets = new Int32Array(LENGTH);
  targets.set(ids.subarray(1));
  const weights = new Float32Array(LENGTH).fill(1, 0, LENGTH - 1);
  return { ids, targets, weights, documents: [{ start: 0, end: LENGTH }], byteCount: LENGTH - 1, number: 0 };
}

/** A source that starts at the given row. A step takes two rows. */
function sourceFrom(place: number, patches: number) {
  const { config } = golden.start;
  const high = config.patching.threshold + 1;
  const all = BYTES_PER_PATCH.flatMap((bytes, i) => [row(bytes, i), row(bytes, 20 + i)]);
  return createBatchSource({
    rows: { kind: 'given', rows: [...all.slice(place), ...all.slice(0, place)] },
    ...NEXT_BYTE_BATCHES,
    config,
    rowsPerStep: 2,
    microBatchRows: 1,
    runPatcher: async ({ ids }) => ({
      entropies: Float32Array.from(ids, (_, i) => (i % (ids[1]! - 4) === 0 ? high : 0)),
      endProbabilities: null,
    }),
    capacity: patchCapacity(patches),
  });
}

async function take(count: number, place = 0, patches = 0): Promise<StepBatch[]> {
  const source = sourceFrom(place, patches);
  const batches: StepBatch[] = [];
  while (batches.length < count) batches.push(await source.next());
  await source.close();
  return batches;
}

const capacityOf = ({ capacity }: StepBatch) => capacity.patches;
const patchesOf = ({ batches }: StepBatch) => batches.map(({ patches }) => patches);

describe('the patch capacity of a batch source', () => {
  it('grows to a multiple of eight with some spare room, and never shrinks', async () => {
    const batches = await take(5);
    // A patch for BOS, and one per 12, 6 or 3 of the other 47 bytes.
    const needed = (bytes: number) => 1 + Math.ceil((LENGTH - 1) / bytes);
    const capacities = batches.map(capacityOf);
    expect(capacities[0]).toBe(8);
    batches.forEach((batch, i) => {
      expect(capacities[i]!).toBeGreaterThanOrEqual(needed(BYTES_PER_PATCH[i]!));
      expect(capacities[i]! % 8).toBe(0);
      expect(capacities[i]!).toBeGreaterThanOrEqual(capacities[i - 1] ?? 0);
      expect(patchesOf(batch)).toEqual([capacities[i], capacities[i]]);
    });
    expect(new Set(capacities).size).toBe(3);
    expect(capacities[4]).toBe(capacities[3]);
  });

  it('is restored in a resumed run, whose batches are those of an uninterrupted run', async () => {
    const whole = await take(5);
    for (const stopped of [1, 2, 4]) {
      const state = whole[stopped - 1]!;
      const resumed = await take(5 - stopped, state.packer.place, state.capacity.patches);
      const arrays = ({ batches, sparseRows, capacity }: StepBatch) => ({ batches, sparseRows, capacity });
      expect(resumed.map(arrays)).toEqual(whole.slice(stopped).map(arrays));
    }
  });

  it('can grow during training, which retraces the step', async () => {
    const before = golden.engine.liveHandles();
    const batches = await take(5);
    const losses: number[][] = [];
    for (const mode of ['eager', 'graph'] as const) {
      // Use one micro-batch per step, so that the step is a single function.
      const training = await openTraining({ start: golden.start, mode });
      const own: number[] = [];
      for (const batch of batches) {
        const one = { ...batch, batches: batch.batches.slice(0, 1), weight: LENGTH - 1 };
        own.push((await training.step(one, 1e-3)).loss);
      }
      losses.push(own);
      training.close();
    }
    expect(maxDifference(losses[1]!, losses[0]!)).toBeLessThan(1e-4);
    expect(golden.engine.liveHandles(), 'handles leaked').toBe(before);
  });

  it('can grow between steps of several micro-batches without changing their results', async () => {
    const batches = await take(5);
    const training = await openTraining({ start: golden.start, mode: 'graph' });
    const wide = await openTraining({ start: golden.start, mode: 'graph' });
    const roomy = await take(5, 0, 48);
    for (const [i, batch] of batches.entries()) {
      const found = await training.step(batch, 1e-3);
      const wanted = await wide.step(roomy[i]!, 1e-3);
      expect(Math.abs(found.loss - wanted.loss), `step ${i}`).toBeLessThan(1e-4);
      expect(found.gradientNorm / wanted.gradientNorm).toBeCloseTo(1, 3);
    }
    training.close();
    wide.close();
  });
});
