import { beforeAll, describe, expect, it } from 'vitest';
import { createVariable, type Engine, gatherRows, startEngine, tf } from '../../../../src/engine/index.js';
import { createParameterState, disposeParameterState } from '../../../../src/finetune/optimizers/adamw.js';
import { linearRate, openAdamWFit } from '../../../../src/finetune/stages/closed-form/adamw-fit.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const ADAMW = { betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0.1 } as const;

/** A number with its moments, moved as torch.optim.AdamW does, in double precision. */
function moved(start: number, { rate, decay }: { rate: number; decay: boolean }) {
  let [x, m, v] = [start, 0, 0];
  return {
    step(gradient: number, t: number): number {
      m = 0.9 * m + 0.1 * gradient;
      v = 0.98 * v + 0.02 * gradient * gradient;
      if (decay) x *= 1 - rate * 0.1;
      x -= (rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.98 ** t)) + 1e-8);
      return x;
    },
  };
}

const ROWS = 5;
const RATE = 0.05;

/** w [3] and a table [5 + 1, 2]; the loss is (w w) x / 2 + (rows at the positions) y. */
function openFit() {
  const dense = createParameterState('w', createVariable(tf.tensor1d([0.5, -2, 3])), {
    ...{ learningRateScale: 1, decay: true, optimizer: 'adamw' as const },
  });
  const values = Float32Array.from({ length: (ROWS + 1) * 2 }, (_, i) => i - 4);
  const table = createParameterState('table', createVariable(tf.tensor2d(values, [ROWS + 1, 2])), {
    ...{ learningRateScale: 2, decay: false, optimizer: 'adamw' as const },
  });
  const fit = openAdamWFit({
    dense: [dense],
    table,
    adamw: ADAMW,
    loss(parameters, [x, positions, y]) {
      const ofDense = tf.div(tf.sum(tf.mul(tf.square(parameters.get('w')!), x!)), 2);
      return tf.add(ofDense, tf.sum(tf.mul(gatherRows(parameters.get('table')!, positions!), y!))) as tf.Scalar;
    },
  });
  const read = () => ({
    w: [...dense.value.read().dataSync()],
    table: [...table.value.read().dataSync()],
    moments: [...table.first.read().dataSync(), ...table.second!.read().dataSync()],
  });
  return {
    values,
    read: () => tf.tidy(read),
    /** @param rows the table's rows, with padding. @param positions among those. @param y two numbers per position. */
    async step(step: number, x: number[], rows: number[], positions: number[], y: number[]): Promise<number> {
      const fields = [tf.tensor1d(x), tf.tensor1d(positions, 'int32'), tf.tensor2d(y, [positions.length, 2])];
      const loss = await fit.run(fields, { step, learningRate: RATE, rows: Int32Array.from(rows) });
      tf.dispose(fields);
      return loss;
    },
    dispose() {
      fit.dispose();
      for (const parameter of [dense, table]) disposeParameterState(parameter);
    },
  };
}

describe('openAdamWFit', () => {
  it('moves dense parameters as torch.optim.AdamW does, and returns the loss before each step', async () => {
    const fit = openFit();
    const start = [0.5, -2, 3];
    const wanted = start.map((value) => moved(value, { rate: RATE, decay: true }));
    let now = start;
    for (const [i, x] of [
      [1, 0.2, 0],
      [3, -1, 1e-4],
      [0.5, 2, -5],
    ].entries()) {
      const loss = await fit.step(i + 1, x, [0, ROWS], [0], [0, 0]);
      expect(loss).toBeCloseTo(
        now.reduce((sum, value, at) => sum + (value * value * x[at]!) / 2, 0),
        4,
      );
      now = wanted.map((parameter, at) => parameter.step(now[at]! * x[at]!, i + 1));
      const { w } = fit.read();
      for (const [at, value] of now.entries()) expect(w[at]).toBeCloseTo(value, 4);
    }
    fit.dispose();
  });

  it('moves only the rows of the table that a step reads, each by the sum of its gradients', async () => {
    const fit = openFit();
    const rate = 2 * RATE;
    const [third, first] = [3, 1].map((row) =>
      [0, 1].map((channel) => moved(fit.values[2 * row + channel]!, { rate, decay: false })),
    );
    const zero = [0, 0, 0];
    // Row 3 is read at two positions, row 1 at one; the rest is padding.
    await fit.step(1, zero, [3, 1, ROWS, ROWS], [0, 1, 0], [0.1, 1, -4, 0.2, 0.3, -3]);
    const wanted = [...fit.values];
    wanted.splice(6, 2, third![0]!.step(0.1 + 0.3, 1), third![1]!.step(1 - 3, 1));
    wanted.splice(2, 2, first![0]!.step(-4, 1), first![1]!.step(0.2, 1));
    const once = fit.read();
    for (const [i, value] of wanted.entries()) expect(once.table[i]).toBeCloseTo(value, 4);
    // Row 1 is not read now: neither its value nor its moments change, although the moments are not zero.
    await fit.step(2, zero, [3, ROWS], [0], [2, 2]);
    wanted.splice(6, 2, third![0]!.step(2, 2), third![1]!.step(2, 2));
    const twice = fit.read();
    for (const [i, value] of wanted.entries()) expect(twice.table[i]).toBeCloseTo(value, 4);
    const size = (ROWS + 1) * 2;
    for (const at of [2, 3, size + 2, size + 3]) {
      expect(once.moments[at]).not.toBe(0);
      expect(twice.moments[at]).toBe(once.moments[at]);
    }
    fit.dispose();
  });

  it('writes padding nowhere but to the spare row, whose moments stay zero', async () => {
    const fit = openFit();
    await fit.step(1, [1, 1, 1], [2, ROWS, ROWS, ROWS], [0, 0], [1, 1, 1, 1]);
    const { table, moments } = fit.read();
    const changed = table.flatMap((value, i) => (value === fit.values[i] ? [] : [Math.floor(i / 2)]));
    expect(changed).toEqual([2, 2]);
    expect(moments.slice(2 * ROWS, 2 * ROWS + 2)).toEqual([0, 0]);
    fit.dispose();
  });

  it('works without a table, and leaves no handles', async () => {
    const before = engine.liveHandles();
    const start = tf.tensor1d([2]);
    const dense = createParameterState('w', createVariable(start), {
      ...{ learningRateScale: 1, decay: false, optimizer: 'adamw' as const },
    });
    start.dispose();
    const fit = openAdamWFit({
      dense: [dense],
      adamw: ADAMW,
      loss: (parameters) => tf.sum(tf.square(parameters.get('w')!)) as tf.Scalar,
    });
    const wanted = moved(2, { rate: 0.1, decay: false });
    expect(await fit.run([], { step: 1, learningRate: 0.1 })).toBeCloseTo(4, 6);
    expect(tf.tidy(() => dense.value.read().dataSync()[0])).toBeCloseTo(wanted.step(4, 1), 5);
    fit.dispose();
    disposeParameterState(dense);
    expect(engine.liveHandles()).toBe(before);
  });
});

describe('linearRate', () => {
  it.each([
    ['rises', { step: 1, warmup: 10, progress: 0 }, 0.2],
    ['is at its peak after the warm-up', { step: 10, warmup: 10, progress: 0 }, 2],
    ['falls with progress', { step: 500, warmup: 10, progress: 0.75 }, 0.5],
    ['falls while it rises', { step: 5, warmup: 10, progress: 0.5 }, 0.5],
    ['ends at zero', { step: 500, warmup: 10, progress: 1 }, 0],
  ])('%s: %j', (_, at, rate) => {
    expect(linearRate(2, at)).toBeCloseTo(rate, 12);
  });
});
