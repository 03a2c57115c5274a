/** Tests that hold however values are divided over devices. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  checkpointed,
  compile,
  createVariable,
  deviceCount,
  type Engine,
  startEngine,
  tensorFromChunks,
  tf,
  valuesOfVariable,
  zeroVariable,
} from '../../src/engine/index.js';

const ROWS = 64;
const [INPUTS, OUTPUTS] = [96, 32];
const pattern = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => (((i * 37 + seed) % 101) - 50) / 64);

export function severalDevicesTests(fullySharded: boolean): void {
  let engine: Engine;
  let before = 0;
  beforeAll(async () => {
    engine = await startEngine({ devices: 4, fullySharded });
  });
  beforeEach(() => {
    before = engine.liveHandles();
  });
  afterEach(() => {
    expect(engine.liveHandles(), 'handles are left').toBe(before);
  });

  it('the CPU counts as many devices as were asked for', () => {
    expect(deviceCount()).toBe(4);
  });

  it.each([
    ['divided along the first axis', [64, 32]],
    ['divided along the second axis', [33, 64]],
    ['whole on each', [33, 35]],
  ])('a value %s is read as it was written', (_, shape) => {
    const values = pattern(shape[0]! * shape[1]!, 1);
    const tensor = tf.tensor(values, shape);
    const twice = tf.mul(tensor, 2);
    expect(twice.dataSync()).toEqual(values.map((value) => 2 * value));
    tf.dispose([tensor, twice]);
  });

  it('a value that comes in chunks is divided too', async () => {
    const values = pattern(64 * 64, 2);
    const bytes = new Uint8Array(values.buffer);
    async function* chunks() {
      yield bytes.subarray(0, 1000);
      yield bytes.subarray(1000);
    }
    const tensor = await tensorFromChunks([64, 64], chunks());
    expect(tensor.dataSync()).toEqual(values);
    tensor.dispose();
  });

  it('a step of gradient descent has the gradient of all rows, on whichever device they are', async () => {
    const [x, w] = [pattern(ROWS * INPUTS, 3), pattern(INPUTS * OUTPUTS, 4)];
    const start = tf.tensor(w, [INPUTS, OUTPUTS]);
    const weights = createVariable(start);
    const step = compile(
      (input) => {
        const loss = (at: tf.Tensor) => tf.sum(tf.square(tf.matMul(input!, at))) as tf.Scalar;
        const { value, grad } = tf.valueAndGrad(loss)(weights.read());
        weights.assign(tf.sub(weights.read(), tf.mul(grad, 1e-3)));
        return [value];
      },
      [{ shape: [ROWS, INPUTS], dtype: 'float32' }],
    );
    const input = tf.tensor(x, [ROWS, INPUTS]);
    const [loss] = await step.call([input]);
    const [found, next] = [loss!.dataSync()[0]!, Float32Array.from(await valuesOfVariable(weights))];
    tf.dispose([start, input, loss!]);
    weights.dispose();
    step.dispose();

    const products = new Float64Array(ROWS * OUTPUTS);
    for (let r = 0; r < ROWS; r++)
      for (let i = 0; i < INPUTS; i++)
        for (let o = 0; o < OUTPUTS; o++) products[r * OUTPUTS + o]! += x[r * INPUTS + i]! * w[i * OUTPUTS + o]!;
    const wanted = products.reduce((sum, value) => sum + value * value, 0);
    expect(Math.abs(found / wanted - 1)).toBeLessThan(1e-5);
    for (let i = 0; i < INPUTS; i++)
      for (let o = 0; o < OUTPUTS; o++) {
        let gradient = 0;
        for (let r = 0; r < ROWS; r++) gradient += 2 * x[r * INPUTS + i]! * products[r * OUTPUTS + o]!;
        expect(next[i * OUTPUTS + o]).toBeCloseTo(w[i * OUTPUTS + o]! - 1e-3 * gradient, 4);
      }
  });

  it('a checkpointed layer collects its weights again, and has the same gradients', async () => {
    const [start, input] = [
      tf.tensor(pattern(INPUTS * INPUTS, 6), [INPUTS, INPUTS]),
      tf.tensor(pattern(ROWS * INPUTS, 7), [ROWS, INPUTS]),
    ];
    const weights = createVariable(start);
    const layer = ([x, w]: tf.Tensor[]) => tf.tanh(tf.matMul(x!, w!));
    const found: Float32Array[][] = [];
    for (const checkpointing of [false, true]) {
      const step = compile(
        (x) => {
          const loss = (at: tf.Tensor, w: tf.Tensor) => {
            const apply = (y: tf.Tensor) => (checkpointing ? checkpointed(layer, [y, w], []) : layer([y, w]));
            return tf.sum(tf.square(apply(apply(at)))) as tf.Scalar;
          };
          return tf.valueAndGrads(loss as never)([x!, weights.read()]).grads;
        },
        [{ shape: [ROWS, INPUTS], dtype: 'float32' }],
      );
      const gradients = await step.call([input]);
      found.push(gradients.map((gradient) => Float32Array.from(gradient.dataSync())));
      tf.dispose(gradients);
      step.dispose();
    }
    tf.dispose([start, input]);
    weights.dispose();
    const [plain, again] = found;
    plain!.forEach((gradient, i) => {
      const scale = Math.max(...gradient.map(Math.abs));
      expect(scale).toBeGreaterThan(0);
      expect(Math.max(...gradient.map((value, at) => Math.abs(value - again![i]![at]!)))).toBeLessThan(1e-5 * scale);
    });
  });

  it('a value that a tensor and a variable share is changed for the variable alone', async () => {
    const start = tf.tensor(pattern(64 * 32, 8), [64, 32]);
    const weights = createVariable(start);
    const shared = weights.read();
    const step = compile(
      (x) => {
        weights.assign(tf.add(weights.read(), x!));
        return [tf.sum(x!)];
      },
      [{ shape: [64, 32], dtype: 'float32' }],
    );
    const results = await step.call([shared]);
    expect(shared.dataSync()).toEqual(pattern(64 * 32, 8));
    expect(Float32Array.from(await valuesOfVariable(weights))).toEqual(pattern(64 * 32, 8).map((value) => 2 * value));
    tf.dispose([start, shared, ...results]);
    weights.dispose();
    step.dispose();
  });

  it('rows of a divided variable are read and written wherever they are', () => {
    const table = zeroVariable([64, 32]);
    const ids = tf.tensor1d([63, 0, 17, 33], 'int32');
    const rows = tf.tensor(pattern(4 * 32, 5), [4, 32]);
    table.scatterRows(ids, rows);
    const [again, all] = [table.gatherRows(ids), table.read()];
    expect(again.dataSync()).toEqual(rows.dataSync());
    const whole = all.dataSync();
    expect(whole.slice(17 * 32, 18 * 32)).toEqual(pattern(4 * 32, 5).slice(2 * 32, 3 * 32));
    expect(whole.filter((value) => value !== 0).length).toBeLessThanOrEqual(4 * 32);
    tf.dispose([ids, rows, again, all]);
    table.dispose();
  });
}
