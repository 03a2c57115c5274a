import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  compile,
  createVariable,
  type Engine,
  startEngine,
  tf,
  valuesOfVariable,
  zeroVariable,
} from '../../../src/engine/index.js';

let engine: Engine;
let before: number;
beforeAll(async () => {
  engine = await startEngine();
});
beforeEach(() => {
  before = engine.liveHandles();
});
afterEach(() => {
  expect(engine.liveHandles(), 'values are left').toBe(before);
});

const SPEC = [{ shape: [2], dtype: 'float32' }] as const;
const values = (tensor: tf.Tensor) => [...tensor.dataSync()];

it('the device is the CPU plugin', () => {
  expect(engine.device).toBe('cpu-xla');
  expect(engine.devices.length).toBeGreaterThan(0);
});

describe('operations outside traced functions', () => {
  it('are computed when a value is read, however many they are', () => {
    const sum = tf.tidy(() => {
      let x: tf.Tensor = tf.tensor1d([1, 2]);
      for (let i = 0; i < 700; i++) x = tf.add(x, 1);
      return x;
    });
    expect(values(sum)).toEqual([701, 702]);
    sum.dispose();
  });

  it('may lose their inputs before they are computed', () => {
    const x = tf.tensor1d([3, 4]);
    const y = tf.square(x);
    x.dispose();
    const z = tf.neg(y);
    y.dispose();
    expect(values(z)).toEqual([-9, -16]);
    z.dispose();
  });

  it('are not computed for values that nothing needs', () => {
    const x = tf.tensor1d([3, 4]);
    tf.square(x).dispose();
    expect(values(x)).toEqual([3, 4]);
    x.dispose();
  });
});

describe('variables', () => {
  it('share a value with a tensor until one of them changes', async () => {
    const initial = tf.tensor1d([1, 2]);
    const variable = createVariable(initial);
    const read = variable.read();
    const step = compile((x) => [variable.assign(tf.add(variable.read(), x!)), x!].slice(1) as tf.Tensor[], SPEC);
    const [out] = await step.call([initial]);
    // The variable's buffer is also that of two tensors, so the call must not take it away.
    expect([values(initial), values(read), [...valuesOfVariable(variable)]]).toEqual([
      [1, 2],
      [1, 2],
      [2, 4],
    ]);
    step.dispose();
    tf.dispose([initial, read, out!]);
    variable.dispose();
  });

  it('are updated in place over many calls', async () => {
    const [one, variable] = [tf.tensor1d([1, 1]), zeroVariable([2])];
    const step = compile((x) => {
      variable.assign(tf.add(variable.read(), x!));
      return [tf.sum(variable.read())];
    }, SPEC);
    const sums: number[] = [];
    for (let i = 0; i < 200; i++) {
      const [sum] = await step.call([one]);
      sums.push(sum!.dataSync()[0]!);
      sum!.dispose();
    }
    expect(sums).toEqual(Array.from({ length: 200 }, (_, i) => 2 * (i + 1)));
    step.dispose();
    one.dispose();
    variable.dispose();
  });

  it('can be read while a call that changes them is running', async () => {
    const [one, variable] = [tf.tensor1d([1, 1]), zeroVariable([2])];
    const step = compile(
      (x) => [variable.assign(tf.add(variable.read(), x!)), tf.neg(x!)].slice(1) as tf.Tensor[],
      SPEC,
    );
    for (let i = 0; i < 20; i++) {
      const call = step.call([one]);
      expect([...valuesOfVariable(variable)].every(Number.isFinite)).toBe(true);
      tf.dispose(await call);
    }
    expect([...valuesOfVariable(variable)]).toEqual([20, 20]);
    step.dispose();
    one.dispose();
    variable.dispose();
  });
});

describe('traced functions', () => {
  it('get large constants as arguments, which they keep', async () => {
    const large = tf.range(0, 4096);
    const fn = compile((x) => [tf.add(tf.sum(large), tf.sum(x!))], SPEC);
    large.dispose();
    const x = tf.tensor1d([1, 2]);
    const [sum] = await fn.call([x]);
    expect(values(sum!)).toEqual([(4095 * 4096) / 2 + 3]);
    fn.dispose();
    tf.dispose([x, sum!]);
  });

  it('are compiled once, ahead or at the first call', async () => {
    const fn = compile((x) => [tf.mul(x!, 3)], SPEC);
    await Promise.all([fn.compileAhead(), fn.compileAhead()]);
    const x = tf.tensor1d([1, 2]);
    const [y] = await fn.call([x]);
    expect(values(y!)).toEqual([3, 6]);
    fn.dispose();
    tf.dispose([x, y!]);
  });
});
