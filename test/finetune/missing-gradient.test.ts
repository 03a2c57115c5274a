import { beforeAll, expect, it } from 'vitest';
import { type Engine, startEngine, tf } from '../../src/engine/index.js';
import { ByteifyError } from '../../src/errors.js';
import { lossAndGradients } from '../../src/finetune/loop/gradients.js';

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
  throw new Error('it was not refused');
}

it('a parameter that the loss does not depend on is named, with what to do', () => {
  const error = refused((values) => tf.sum(values.get('a.weight')!));
  expect(error.message).toContain('b.weight');
  expect(error.message).not.toContain('a.weight');
  expect(error.hint).toBeDefined();
});

it('an operation without a gradient is named, with what to do', () => {
  const error = refused((values) => tf.sum(tf.erf(tf.mul(values.get('a.weight')!, values.get('b.weight')!))));
  expect(error.message).toContain('Erf');
  expect(error.hint).toBeDefined();
});
