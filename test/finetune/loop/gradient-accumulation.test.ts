import { beforeAll, expect, it } from 'vitest';
import type { PackedRow } from '../../../src/data/index.js';
import { type Engine, startEngine } from '../../../src/engine/index.js';
import { goldenStart, openTraining, packerOf, stepInput } from '../../support/training.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

it('a step of two micro-batches gives the same result eagerly and as a graph', async () => {
  const start = await goldenStart();
  const rows = (await packerOf(48).next(2)).map((row): PackedRow[] => [row]);
  const before = engine.liveHandles();
  const [eager, graph] = await Promise.all(
    (['eager', 'graph'] as const).map(async (mode) => {
      const training = await openTraining({ start, mode });
      const output = await training.step(stepInput(start.config, rows, 48), 1e-3);
      training.close();
      return output;
    }),
  );
  expect(eager!.loss).toBeCloseTo(graph!.loss, 4);
  expect(eager!.gradientNorm).toBeCloseTo(graph!.gradientNorm, 4);
  expect(engine.liveHandles()).toBe(before);
});
