import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  attribute,
  compile,
  createVariable,
  type Engine,
  fuse,
  type InputSpec,
  rawOp,
  startEngine,
  tf,
  zeroVariable,
} from '../../src/engine/index.js';
import { ByteifyError } from '../../src/errors.js';
import { COMPILED, taken } from '../support/modes.js';

let engine: Engine;
let before = 0;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
beforeEach(() => {
  before = engine.liveHandles();
});

const floats = (...shape: number[]): InputSpec => ({ shape, dtype: 'float32' });
const float32 = attribute.type('T', 'float32');

/** What must still work after a failed trace: eager operations, new traces and every mode of running them. */
afterEach(async () => {
  expect(engine.liveHandles(), 'handles are left').toBe(before);
  expect(tf.tidy(() => tf.sum(tf.tensor1d([1, 2])).dataSync()[0])).toBe(3);
  expect(
    tf.tidy(
      () =>
        tf
          .grad((x: tf.Tensor) => tf.sum(tf.square(x)))(tf.scalar(3))
          .dataSync()[0],
    ),
  ).toBe(6);
  const compiled = compile((x) => fuse('after a failure', [x!], (y) => [tf.mul(y, 2)]), [floats(2)]);
  expect(compiled.operations, 'chains are no longer fused').toBe(2); // the input and the chain
  const input = tf.tensor1d([1, 2]);
  for (const mode of COMPILED) expect([...taken(await compiled.call([input], mode))[0]!]).toEqual([2, 4]);
  input.dispose();
  compiled.dispose();
  expect(engine.liveHandles()).toBe(before);
});

/** The error of a trace. */
function refused(fn: (...inputs: tf.Tensor[]) => readonly tf.Tensor[], signature: readonly InputSpec[]): ByteifyError {
  try {
    compile(fn, signature).dispose();
  } catch (error) {
    return error as ByteifyError;
  }
  throw new Error('the trace was not refused');
}

describe('while a function is traced', () => {
  it.each([
    ['dataSync', (x: tf.Tensor) => x.dataSync()],
    ['arraySync', (x: tf.Tensor) => x.arraySync()],
    ['backend.readSync', (x: tf.Tensor) => tf.backend().readSync(x.dataId)],
  ])('reading a value by %s is refused with its shape and a remedy', (_name, read) => {
    const error = refused(
      (x) => {
        read(tf.reshape(x!, [3, 2]));
        return [x!];
      },
      [floats(2, 3)],
    );
    expect(error).toBeInstanceOf(ByteifyError);
    expect(error.message).toContain('[3, 2]');
    expect(error.hint).toMatch(/return the value as a result/);
  });

  it('reading a value asynchronously rejects with the same message', async () => {
    let asked: Promise<unknown> = Promise.resolve();
    const compiled = compile(
      (x) => {
        asked = x!.data();
        asked.catch(() => {});
        return [x!];
      },
      [floats(2)],
    );
    compiled.dispose();
    await expect(asked).rejects.toThrow(/traced tensor \[2\]/);
  });

  it('the value of a tensor that is not traced can be read', async () => {
    const five = tf.scalar(5);
    const compiled = compile((x) => [tf.mul(x!, five.dataSync()[0]!)], [floats(1)]);
    const one = tf.ones([1]);
    expect([...taken(await compiled.call([one]))[0]!]).toEqual([5]);
    tf.dispose([five, one]);
    compiled.dispose();
  });

  it('capturing a tensor above 4 MiB is refused with its shape, its size and a remedy', () => {
    const large = tf.tidy(() => tf.range(0, 2 ** 20 + 1, 1, 'float32'));
    const error = refused((x) => [tf.add(x!, large)], [floats()]);
    large.dispose();
    expect(error).toBeInstanceOf(ByteifyError);
    expect(error.message).toMatch(/\[1048577\].*4194308 bytes/);
    expect(error.hint).toMatch(/input|variable/);
  });

  it('a tensor of 4 MiB can be captured', async () => {
    const large = tf.range(0, 2 ** 20, 1, 'float32');
    const compiled = compile((x) => [tf.max(tf.add(x!, large))], [floats()]);
    const one = tf.scalar(1);
    expect(taken(await compiled.call([one], 'graph'))[0]![0]).toBe(2 ** 20);
    tf.dispose([large, one]);
    compiled.dispose();
  });

  it('creating a large tensor is refused like capturing one', () => {
    const values = Float32Array.from({ length: 2 ** 20 + 1 }, (_, i) => i);
    expect(refused((x) => [tf.add(x!, tf.tensor1d(values))], [floats()]).message).toMatch(/4194308 bytes/);
  });

  it.each([
    [
      'Fill',
      (x: tf.Tensor) => {
        const types = [attribute.type('T', 'float32'), attribute.type('index_type', 'int32')];
        return rawOp('Fill', types, [tf.cast(x, 'int32'), tf.scalar(1)]);
      },
    ],
    ['Where', (x: tf.Tensor) => rawOp('Where', [float32], [x])],
  ])('an operation whose shape is unknown is named: %s', (name, f) => {
    const error = refused((x) => f(x!), [floats(2)]);
    expect(error).toBeInstanceOf(ByteifyError);
    expect(error.message).toMatch(new RegExp(`shape of the result of ${name}`));
    expect(error.hint).toMatch(/known while tracing/);
  });

  it('incompatible shapes are reported with the operation and both shapes', () => {
    const flags = [attribute.bool('transpose_a', false), attribute.bool('transpose_b', false)];
    const error = refused((x) => rawOp('MatMul', [float32, ...flags], [x!, x!]), [floats(2, 3)]);
    expect(error).toBeInstanceOf(ByteifyError);
    expect(error.message).toMatch(/MatMul while tracing.*3 and 2/);
  });

  it('an operation that TensorFlow lacks is named', () => {
    expect(refused((x) => rawOp('NoSuchOperation', [], [x!]), [floats(2)]).message).toMatch(/NoSuchOperation/);
  });

  it('an operation without a gradient is named', () => {
    const error = refused((x) => [tf.grad((y: tf.Tensor) => tf.sum(tf.erf(y)))(x!)], [floats(2)]);
    expect(error.message).toMatch(/gradient.*Erf/);
  });

  it('an input that the loss does not depend on is refused', () => {
    const losing = (x: tf.Tensor, y: tf.Tensor) => tf.grads((a: tf.Tensor) => tf.sum(a))([x, y]);
    expect(refused((x, y) => losing(x!, y!), [floats(2), floats(2)]).message).toMatch(/Cannot compute gradient/);
    const cut = (x: tf.Tensor) => tf.grad((y: tf.Tensor) => tf.sum(rawOp('Neg', [float32], [y])[0]!))(x);
    expect(refused((x) => [cut(x!)], [floats(2)]).message).toMatch(/Cannot compute gradient/);
  });

  it('another trace is refused, and the outer one can continue', async () => {
    const inner = () => compile((y) => [y!], [floats(1)]);
    const around = (x: tf.Tensor) => {
      inner();
      return [x];
    };
    expect(refused((x) => around(x!), [floats(2)]).message).toMatch(/already being traced.*cannot be nested/);
    const compiled = compile(
      (x) => {
        expect(inner).toThrow(/cannot be nested/);
        return [tf.add(x!, 1)];
      },
      [floats(1)],
    );
    const one = tf.ones([1]);
    expect([...taken(await compiled.call([one]))[0]!]).toEqual([2]);
    one.dispose();
    compiled.dispose();
  });

  it('an error of the function itself is passed on unchanged, even from a fused chain or a gradient', () => {
    const broken = () => {
      throw new RangeError('mine');
    };
    const f = (x: tf.Tensor) => fuse('broken', [tf.square(x)], () => broken())[0]!;
    const error = refused((x) => [tf.grad((y: tf.Tensor) => tf.sum(f(y)))(x!)], [floats(2)]);
    expect(error).toEqual(new RangeError('mine'));
  });

  it('an existing variable is unchanged if the trace fails', () => {
    const initial = tf.tensor1d([1, 2]);
    const variable = createVariable(initial);
    refused(
      (x) => {
        variable.assign(x!);
        return [tf.tensor(x!.dataSync())];
      },
      [floats(2)],
    );
    const value = variable.read();
    expect([...value.dataSync()]).toEqual([1, 2]);
    tf.dispose([initial, value]);
    variable.dispose();
  });
});

describe('a call', () => {
  it.each([
    ['another shape', () => [tf.ones([2, 2]), tf.ones([3])], /Input 0 .*float32 \[2, 2\].*float32 \[2, 3\]/],
    ['another rank', () => [tf.ones([2, 3]), tf.ones([3, 1])], /Input 1 .*\[3, 1\].*\[3\]/],
    ['another type', () => [tf.ones([2, 3]), tf.ones([3], 'int32')], /Input 1 .*int32 \[3\].*float32 \[3\]/],
    ['one input too few', () => [tf.ones([2, 3])], /takes 2 inputs but received 1/],
    ['one input too many', () => [tf.ones([2, 3]), tf.ones([3]), tf.ones([1])], /takes 2 inputs but received 3/],
  ])('with %s is refused before it runs', async (_name, make, message) => {
    const variable = zeroVariable([3]);
    const compiled = compile(
      (x, y) => {
        variable.assign(y!);
        return [tf.add(x!, y!)];
      },
      [floats(2, 3), floats(3)],
    );
    const inputs = make();
    await expect(compiled.call(inputs)).rejects.toThrow(message);
    tf.dispose(inputs);
    const value = variable.read();
    expect([...value.dataSync()]).toEqual([0, 0, 0]);
    value.dispose();
    variable.dispose();
    compiled.dispose();
  });

  it('that fails in TensorFlow rejects with its message, and the next call works', async () => {
    const compiled = compile(
      (x, ids) => [tf.gather(x!, ids! as tf.Tensor1D)],
      [floats(3), { shape: [1], dtype: 'int32' }],
    );
    const [x, wrong, right] = [tf.tensor1d([5, 6, 7]), tf.tensor1d([9], 'int32'), tf.tensor1d([2], 'int32')];
    await expect(compiled.call([x, wrong], 'graph')).rejects.toThrow(/indices\[0\] = 9 is not in \[0, 3\)/);
    expect([...taken(await compiled.call([x, right], 'graph'))[0]!]).toEqual([7]);
    tf.dispose([x, wrong, right]);
    compiled.dispose();
  });

  it('of a disposed function rejects', async () => {
    const compiled = compile((x) => [tf.add(x!, 1)], [floats(1)]);
    compiled.dispose();
    const one = tf.ones([1]);
    for (const mode of COMPILED) await expect(compiled.call([one], mode)).rejects.toThrow(ByteifyError);
    one.dispose();
  });

  it('with a disposed input rejects', async () => {
    const compiled = compile((x) => [tf.add(x!, 1)], [floats(1)]);
    const gone = tf.ones([1]);
    gone.dispose();
    await expect(compiled.call([gone])).rejects.toThrow(/after it was disposed/);
    compiled.dispose();
  });
});
