import { beforeAll, expect, it } from 'vitest';
import type { PackedRow } from '../../../src/data/index.js';
import { type Engine, type RunMode, startEngine } from '../../../src/engine/index.js';
import { relativeDifference } from '../../support/modes.js';
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

it('a step by Muon changes the weights alike in every mode, with one micro-batch or two', async () => {
  const start = await goldenStart();
  const rows = await packerOf(48).next(2);
  const whole = stepInput(start.config, [rows], 48);
  const halves = stepInput(
    start.config,
    rows.map((row) => [row]),
    48,
  );
  const before = engine.liveHandles();
  const changes = async (mode: RunMode, input: typeof whole) => {
    const training = await openTraining({ start, mode, muonScale: 10 });
    await training.step(input, 1e-3);
    const byMuon = training.trainingState.parameters.filter(({ group }) => group.optimizer === 'muon');
    const weights = training.weights();
    training.close();
    return byMuon.map(({ name }) => {
      const from = start.weights.get(name)!.values;
      return weights.get(name)!.map((value, i) => value - from[i]!);
    });
  };
  const wanted = await changes('eager', whole);
  expect(wanted.length).toBeGreaterThan(20);
  for (const [mode, input] of [
    ['graph', whole],
    ['xla', whole],
    ['eager', halves],
    ['graph', halves],
  ] as const) {
    const found = await changes(mode, input);
    found.forEach((change, i) => {
      expect(relativeDifference(change, wanted[i]!), `matrix ${i}, ${mode}`).toBeLessThan(0.01);
    });
  }
  expect(engine.liveHandles()).toBe(before);
});
