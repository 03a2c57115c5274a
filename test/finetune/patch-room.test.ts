import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BOS } from '../../src/blt/index.js';
import { buildStore, openStore, type PackedRow } from '../../src/data/index.js';
import { type Engine, startEngine } from '../../src/engine/index.js';
import { createBatchSource, type StepBatch } from '../../src/finetune/batches/batch-source.js';
import { checkpointName } from '../../src/finetune/loop/checkpoint.js';
import { train } from '../../src/finetune/loop/train.js';
import { stagePlan } from '../../src/finetune/loop/training-plan.js';
import { endToEndObjective } from '../../src/finetune/stages/end-to-end.js';
import { openBlt, patcherEntropies } from '../../src/model/index.js';
import { createPatcherRunner } from '../../src/model/patcher/runner.js';
import { patcherArrays } from '../../src/patching/batch-arrays.js';
import { byteBatch } from '../../src/patching/index.js';
import { recipeSchema, type TrainingStage } from '../../src/recipe/index.js';
import { goldenPath, maxDifference } from '../support/golden.js';
import { MODES } from '../support/modes.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { goldenStart, NEXT_BYTE_BATCHES, openTraining, packerOf, patchRoom, type Start } from '../support/training.js';

let engine: Engine;
let start: Start;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  start = await goldenStart();
});

const LENGTH = 48;
/** Bytes of a patch in each step: patches grow in number, then fall. */
const BYTES_PER_PATCH = [12, 6, 12, 3, 8];

/** A row of one document that tells in its second id, which the entropies read, how it is to be cut. */
function row(bytesPerPatch: number, salt: number): PackedRow {
  const ids = Int32Array.from({ length: LENGTH }, (_, i) => (i === 0 ? BOS : 100 + ((i * 7 + salt) % 50)));
  ids[1] = 4 + bytesPerPatch;
  const targets = new Int32Array(LENGTH);
  targets.set(ids.subarray(1));
  const weights = new Float32Array(LENGTH).fill(1, 0, LENGTH - 1);
  return { ids, targets, weights, chunks: [{ start: 0, end: LENGTH }], byteCount: LENGTH - 1, number: 0 };
}

/** From a place of the rows, of which a step takes two. */
function sourceFrom(place: number, patches: number) {
  const { config } = start;
  const high = config.patching.threshold + 1;
  const all = BYTES_PER_PATCH.flatMap((bytes, i) => [row(bytes, i), row(bytes, 20 + i)]);
  return createBatchSource({
    rows: { kind: 'given', rows: [...all.slice(place), ...all.slice(0, place)] },
    ...NEXT_BYTE_BATCHES,
    config,
    rowsPerStep: 2,
    microBatchRows: 1,
    entropies: async ({ ids }) => ({
      entropies: Float32Array.from(ids!.values, (_, i) => (i % (ids!.values[1]! - 4) === 0 ? high : 0)),
      endProbabilities: null,
    }),
    room: patchRoom(patches),
  });
}

async function take(count: number, place = 0, patches = 0): Promise<StepBatch[]> {
  const source = sourceFrom(place, patches);
  const batches: StepBatch[] = [];
  while (batches.length < count) batches.push(await source.next());
  await source.close();
  return batches;
}

const room = ({ room }: StepBatch) => room.patches;
const shapesOf = ({ batches }: StepBatch) => batches.map(({ patchDocuments }) => patchDocuments!.shape[1]);

describe('room for patches', () => {
  it('grows to what is needed and some more, in eights, and never shrinks', async () => {
    const batches = await take(5);
    // A patch for BOS and one for each 12, 6 or 3 of the other 47 bytes.
    const needed = (bytes: number) => 1 + Math.ceil((LENGTH - 1) / bytes);
    const rooms = batches.map(room);
    expect(rooms[0]).toBe(8);
    batches.forEach((batch, i) => {
      expect(rooms[i]!).toBeGreaterThanOrEqual(needed(BYTES_PER_PATCH[i]!));
      expect(rooms[i]! % 8).toBe(0);
      expect(rooms[i]!).toBeGreaterThanOrEqual(rooms[i - 1] ?? 0);
      expect(shapesOf(batch)).toEqual([rooms[i], rooms[i]]);
    });
    expect(new Set(rooms).size).toBe(3);
    expect(rooms[4]).toBe(rooms[3]);
  });

  it('of a resumed run begins where it was: its batches are those of the run that did not stop', async () => {
    const whole = await take(5);
    for (const stopped of [1, 2, 4]) {
      const state = whole[stopped - 1]!;
      const resumed = await take(5 - stopped, state.packer.place, state.room.patches);
      const arrays = ({ batches, touched, room }: StepBatch) => ({ batches, touched, room });
      expect(resumed.map(arrays)).toEqual(whole.slice(stopped).map(arrays));
    }
  });

  it('that grows is traced anew, and training goes on', async () => {
    const before = engine.liveHandles();
    const batches = await take(5);
    const losses: number[][] = [];
    for (const way of ['eager', 'graph'] as const) {
      // One micro-batch of each step, so that the whole step is one function.
      const training = await openTraining({ start, mode: way, shape: { rows: 1, length: LENGTH } });
      const own: number[] = [];
      for (const batch of batches) {
        const one = { ...batch, batches: batch.batches.slice(0, 1), weight: LENGTH - 1 };
        own.push((await training.step(one, 1e-3)).loss);
      }
      losses.push(own);
      training.close();
    }
    expect(maxDifference(losses[1]!, losses[0]!)).toBeLessThan(1e-4);
    expect(engine.liveHandles(), 'handles are left').toBe(before);
  });

  it('that grows between steps of several micro-batches keeps their sums', async () => {
    const batches = await take(5);
    const training = await openTraining({ start, mode: 'graph', shape: { rows: 1, length: LENGTH } });
    const wide = await openTraining({ start, mode: 'graph', shape: { rows: 1, length: LENGTH } });
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

describe('a run', () => {
  const folder = temporaryFolder();

  it('that goes on has the room of its checkpoint, and saves it again', async () => {
    await mkdir(join(folder(), 'text'));
    for (let i = 0; i < 20; i++)
      await writeFile(join(folder(), 'text', `${i}.txt`), `Text ${i} of ${i * i}.\n`.repeat(4));
    const out = join(folder(), 'data');
    const how = { chunkBytes: 80, validationFraction: 0.2, seed: 1, textKey: 'text' };
    await buildStore({ paths: [join(folder(), 'text')], out, ...how });
    const store = await openStore(out);
    const stages = (steps: number) => [{ kind: 'end-to-end', steps, batch_bytes: 96, sequence_length: 48 }];
    const plan = (steps: number) => {
      const recipe = recipeSchema.parse({ name: 'test', stages: stages(steps), hardware: { mode: 'graph' } });
      return stagePlan(recipe.stages[0] as TrainingStage, recipe.hardware);
    };
    const { config } = start;
    const run = async (steps: number) => {
      const { params } = await train({
        objective: endToEndObjective(config, []),
        config,
        start: start.reader,
        plan: plan(steps),
        data: store.train,
        flopsOf: () => 0,
        run: join(folder(), 'run'),
        root: join(folder(), 'run'),
        seed: 1,
        settings: 's',
        signal: new AbortController().signal,
      });
      for (const tensor of params.values()) tensor.dispose();
    };
    const path = (step: number) => join(folder(), 'run', checkpointName(step), 'trainer_state.json');
    await run(1);
    const state = JSON.parse(await readFile(path(1), 'utf8'));
    expect(state.room.patches % 8).toBe(0);
    expect(state.room.patches).toBeGreaterThan(0);
    await writeFile(path(1), JSON.stringify({ ...state, room: patchRoom(96) }));
    await run(2);
    expect(JSON.parse(await readFile(path(2), 'utf8')).room.patches).toBe(96);
    await store.close();
  });
});

describe('entropies of the patcher', () => {
  it.each(MODES)('are those of the whole model, with documents and padding: %s', async (mode) => {
    const model = await openBlt(goldenPath('plain/blt'));
    const training = await openTraining({ start, mode: 'eager', shape: { rows: 2, length: LENGTH } });
    const before = engine.liveHandles();
    const entropies = createPatcherRunner(model.config, training.trainingState.fixed, mode);
    const packer = packerOf(LENGTH);
    for (let i = 0; i < 2; i++) {
      const rows = await packer.next(2);
      expect(rows.some(({ chunks }) => chunks.length > 1)).toBe(true);
      const wanted = patcherEntropies(model.params, model.config.patcher, byteBatch(rows));
      expect(maxDifference((await entropies.of(patcherArrays(rows))).entropies, wanted)).toBeLessThan(1e-4);
    }
    entropies.dispose();
    expect(engine.liveHandles(), 'handles are left').toBe(before);
    training.close();
    model.dispose();
  });
});
