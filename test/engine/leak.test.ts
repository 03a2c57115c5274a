import { beforeAll, expect, it } from 'vitest';
import { bltTensors } from '../../src/blt/index.js';
import { type Engine, startEngine, tf } from '../../src/engine/index.js';
import { createSlot, disposeSlot, updateSlot } from '../../src/finetune/adamw.js';
import { accumulate, clip, globalNorm } from '../../src/finetune/gradients.js';
import { bltLogits, cutIntoPatches, nextByteLoss, openBlt, wholeRow } from '../../src/model/index.js';
import { goldenPath, plainCases } from '../support/golden.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 } as const;
const STEPS = 200;
const WARM_UP = 50;
/** Allocators keep what they were given; a leaked activation of this model is 3 MB a step, so 150 steps would show as 450 MB. */
const RSS_GROWTH_BYTES = 100e6;

it('200 training steps of a whole BLT leave no handle and no memory behind', async () => {
  const before = engine.liveHandles();
  const model = await openBlt(goldenPath('plain/blt'));
  const ids = Int32Array.from(plainCases[0]!.input_ids);
  const specs = bltTensors(model.config).filter(({ part }) => part !== 'patcher');
  const slots = specs.map(({ name }) =>
    createSlot(name, tf.clone(model.params.get(name)!), { learningRateScale: 1, decay: true }),
  );
  const weights = new Float32Array(ids.length).fill(1);
  weights[ids.length - 1] = 0;
  const targets = { ids: Int32Array.from([...ids.slice(1), 0]), weights };
  let [handles, rss, first, last] = [0, 0, 0, 0];
  for (let step = 1; step <= STEPS; step++) {
    const { batch } = cutIntoPatches(model.params, model.config, [wholeRow(ids)]);
    const lossOf = (params: ReadonlyMap<string, tf.Tensor>) =>
      nextByteLoss(bltLogits(new Map([...model.params, ...params]), model.config, batch), targets, ids.length - 1);
    const { loss, gradients } = await accumulate(slots, [lossOf]);
    const clipped = clip(gradients, globalNorm(gradients), 1);
    slots.forEach((slot, i) => {
      updateSlot(slot, clipped[i]!, step, 1e-3, ADAMW);
      clipped[i]!.dispose();
    });
    if (step === 1) first = loss;
    last = loss;
    if (step === WARM_UP) [handles, rss] = [engine.liveHandles(), process.memoryUsage.rss()];
  }
  expect(engine.liveHandles()).toBe(handles);
  expect(process.memoryUsage.rss() - rss).toBeLessThan(RSS_GROWTH_BYTES);
  expect(last).toBeLessThan(first / 2); // and it learned the one text it saw
  slots.forEach(disposeSlot);
  model.dispose();
  expect(engine.liveHandles()).toBe(before);
});
