import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, retracedFunction, startEngine, tf } from '../../src/engine/index.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

async function called(fn: ReturnType<typeof retracedFunction>, values: readonly number[], key?: string) {
  let traces = 0;
  const input = tf.tensor1d([...values]);
  const body = ([x]: readonly tf.Tensor[]) => {
    traces++;
    return [tf.mul(x!, 2), x!];
  };
  const out = await fn.call(body, [input], key);
  const found = out.map((tensor) => [...tensor.dataSync()]);
  tf.dispose(out);
  const isAlive = !input.isDisposed;
  input.dispose();
  return { found, traces, isAlive };
}

describe('a function whose shapes may change', () => {
  it.each(['graph', 'xla'] as const)('is traced once per series of equal shapes and keys: %s', async (mode) => {
    const before = engine.liveHandles();
    const fn = retracedFunction(mode);
    const traces: number[] = [];
    for (const [values, key] of [[[1, 2]], [[3, 4]], [[5]], [[6]], [[6], 'other'], [[7], 'other']] as const) {
      const { found, traces: some } = await called(fn, values, key);
      expect(found).toEqual([values.map((value) => 2 * value), values]);
      traces.push(some);
    }
    expect(traces).toEqual([1, 0, 1, 0, 1, 0]);
    fn.dispose();
    expect(engine.liveHandles()).toBe(before);
  });

  it('runs its body at each call if it is eager, and leaves the inputs to the caller', async () => {
    const before = engine.liveHandles();
    const fn = retracedFunction('eager');
    expect(await called(fn, [1])).toEqual({ found: [[2], [1]], traces: 1, isAlive: true });
    expect(await called(fn, [1])).toMatchObject({ traces: 1 });
    expect(engine.liveHandles()).toBe(before);
  });
});
