import { beforeAll, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../src/engine/index.js';
import { openBench } from '../../src/finetune/index.js';
import { goldenPath } from '../support/golden.js';
import { COMPILED, MODES } from '../support/modes.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const STEPS = 300;
/** By then OpenXLA has compiled what operations outside a trace need. */
const WARM_UP = 150;
/** Allocators keep freed memory; a leaked activation of this model takes 3 MB per step, so 150 steps would take 450 MB. */
const RSS_GROWTH_BYTES = 200e6;

/** On OpenXLA everything that training repeats is traced, so it is enough that this leaks nothing. */
const modes = process.env.BYTEIFY_DEVICE === 'cpu-xla' ? COMPILED : MODES;

it.each(modes)('300 training steps of a whole BLT leak no handle and no memory: %s', async (mode) => {
  const before = engine.liveHandles();
  const options = { rows: 2, rowBytes: 128, mode, bytesPerPatch: 4 };
  const bench = await openBench(goldenPath('plain/blt'), options);
  let [handles, rss] = [0, 0];
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    losses.push((await bench.step()).loss);
    if (step === WARM_UP) [handles, rss] = [engine.liveHandles(), process.memoryUsage.rss()];
  }
  expect(engine.liveHandles()).toBe(handles);
  expect(process.memoryUsage.rss() - rss).toBeLessThan(RSS_GROWTH_BYTES);
  expect(losses.at(-1)!).toBeLessThan(losses[0]!); // and it learned
  await bench.close();
  expect(engine.liveHandles()).toBe(before);
});
