import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine, tf } from '../../../src/engine/index.js';
import { ByteifyError } from '../../../src/errors.js';
import { clipScale, globalNorm, lossAndGradients } from '../../../src/finetune/loop/gradients.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

function refused(loss: Parameters<typeof lossAndGradients>[1]): ByteifyError {
  const before = engine.liveHandles();
  const values = new Map([
    ['a.weight', tf.ones([2])],
    ['b.weight', tf.ones([2])],
  ]);
  try {
    tf.tidy(() => {
      lossAndGradients(values, loss);
    });
  } catch (error) {
    tf.dispose([...values.values()]);
    expect(engine.liveHandles(), 'handles are left').toBe(before);
    expect(error).toBeInstanceOf(ByteifyError);
    return error as ByteifyError;
  }
  throw new Error('no error was thrown');
}

describe('lossAndGradients', () => {
  it('names the parameter that the loss does not depend on, with a hint', () => {
    const error = refused((values) => tf.sum(values.get('a.weight')!));
    expect(error.message).toContain('b.weight');
    expect(error.message).not.toContain('a.weight');
    expect(error.hint).toBeDefined();
  });

  it('names the operation that has no gradient, with a hint', () => {
    const error = refused((values) => tf.sum(tf.erf(tf.mul(values.get('a.weight')!, values.get('b.weight')!))));
    expect(error.message).toContain('Erf');
    expect(error.hint).toBeDefined();
  });
});

describe('clipScale', () => {
  it('scales gradients whose global norm exceeds the limit, and leaves others alone', () => {
    const norm = globalNorm([tf.tensor1d([3, 0]), tf.tensor2d([[4]])]);
    expect(norm.dataSync()[0]).toBeCloseTo(5, 5);
    expect(clipScale(norm, 1).dataSync()[0]).toBeCloseTo(0.2, 5);
    expect(clipScale(norm, 10).dataSync()[0]).toBe(1);
  });
});
