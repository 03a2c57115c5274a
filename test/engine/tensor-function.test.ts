import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { EngineBackend } from '../../src/engine/backend.js';
import {
  type Engine,
  fuse,
  gradualFunction,
  type RunMode,
  startEngine,
  tensorFunction,
  tf,
  type Variable,
  zeroVariable,
} from '../../src/engine/index.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const SIGNATURE = [{ shape: [3], dtype: 'float32' as const }];

/** Adds its input and 1 to a variable, and returns twice the variable's previous value, and 1, in a chain that is fused if chains are. */
const adds = (sum: Variable) => (x: tf.Tensor | undefined) => {
  const before = sum.read();
  const [doubled] = fuse('tensor-function test', [before], (value) => [tf.mul(tf.add(value!, 1), 2)]);
  sum.assign(tf.add(before, tf.add(x!, 1)));
  return [doubled!];
};

async function valuesOf(outputs: Promise<tf.Tensor[]>): Promise<number[]> {
  const [output] = await outputs;
  const values = [...output!.dataSync()];
  output!.dispose();
  return values;
}

/** How functions ran while `work` ran. */
async function runs(work: () => Promise<unknown>): Promise<('graph' | 'xla')[]> {
  const spy = vi.spyOn(EngineBackend.prototype, 'callFunction');
  try {
    await work();
    return spy.mock.calls.map(([, , mode]) => mode);
  } finally {
    spy.mockRestore();
  }
}

describe.each<RunMode>(['eager', 'graph', 'xla'])('a function that runs by %s', (mode) => {
  it('returns what its body returns, changes variables once per call, and leaks nothing', async () => {
    const before = engine.liveHandles();
    const sum = zeroVariable([3]);
    const x = tf.tensor1d([1, 2, 3]);
    const fn = tensorFunction(adds(sum), SIGNATURE, mode);
    expect(await valuesOf(fn.call([x]))).toEqual([2, 2, 2]);
    await fn.compileAhead();
    expect(await valuesOf(fn.call([x]))).toEqual([6, 8, 10]);
    fn.dispose();
    const total = sum.read();
    expect([...total.dataSync()]).toEqual([4, 6, 8]);
    tf.dispose([x, total]);
    sum.dispose();
    await vi.waitFor(() => expect(engine.liveHandles()).toBe(before));
  });

  it('can return its input, which still belongs to the caller', async () => {
    const fn = tensorFunction((x) => [x!], SIGNATURE, mode);
    const x = tf.tensor1d([1, 2, 3]);
    expect(await valuesOf(fn.call([x]))).toEqual([1, 2, 3]);
    expect([...x.dataSync()]).toEqual([1, 2, 3]);
    fn.dispose();
    x.dispose();
  });
});

it('without fused chains, a graph does not use XLA', async () => {
  const traces = vi.spyOn(EngineBackend.prototype, 'trace');
  const x = tf.tensor1d([1, 2, 3]);
  for (const option of [{}, { fuse: false }]) {
    const sum = zeroVariable([3]);
    const fn = tensorFunction(adds(sum), SIGNATURE, 'graph', option);
    expect(await valuesOf(fn.call([x]))).toEqual([2, 2, 2]);
    fn.dispose();
    sum.dispose();
  }
  const [fused, plain] = traces.mock.results.map(({ value }) => value.operations as number);
  // The graph contains the chain's two operations and two constants instead of one call.
  expect(plain).toBeGreaterThan(fused!);
  traces.mockRestore();
  x.dispose();
});

describe('a function that is compiled in the background', () => {
  it.each(['graph', 'xla'] as const)('runs uncompiled until it is compiled, and then by %s', async (mode) => {
    const before = engine.liveHandles();
    const sum = zeroVariable([3]);
    const x = tf.tensor1d([1, 2, 3]);
    const fn = gradualFunction(adds(sum), SIGNATURE, mode);
    const found: number[][] = [];
    const call = async () => found.push(await valuesOf(fn.call([x])));
    expect(await runs(call), 'the first call').toEqual([]);
    expect(await runs(call), 'the second').toEqual(['graph']);
    expect(
      await runs(async () => {
        const ahead = fn.compileAhead();
        await call();
        await ahead;
      }),
      'while it is compiled',
    ).toEqual(expect.arrayContaining(['graph', mode]));
    // Compilation did not change the variable.
    expect(await runs(call), 'compiled').toEqual([mode]);
    expect(found).toEqual([1, 2, 3, 4].map((turn) => [1, 2, 3].map((value) => 2 * ((value + 1) * (turn - 1) + 1))));
    fn.dispose();
    sum.dispose();
    x.dispose();
    await vi.waitFor(() => expect(engine.liveHandles()).toBe(before));
  });

  it('is released after its compilation if it was disposed meanwhile', async () => {
    const before = engine.liveHandles();
    const sum = zeroVariable([3]);
    const fn = gradualFunction(adds(sum), SIGNATURE, 'xla');
    const ahead = fn.compileAhead();
    fn.dispose();
    sum.dispose();
    await ahead;
    await vi.waitFor(() => expect(engine.liveHandles()).toBe(before));
  });

  it('does not delay the end of the process', () => {
    const script = `
      import { gradualFunction, startEngine, tf } from './dist/engine/index.js';
      await startEngine({ threads: 1 });
      const body = (x) => {
        let y = x;
        for (let i = 0; i < 400; i++) y = tf.softmax(tf.add(tf.tanh(tf.matMul(y, y)), i));
        return [y];
      };
      const begun = performance.now();
      let compiled = false;
      gradualFunction(body, [{ shape: [16, 16], dtype: 'float32' }], 'xla').compileAhead().then(() => { compiled = true; });
      setTimeout(() => {
        console.log(JSON.stringify({ compiled, ended: Date.now() }));
        process.exit(3);
      }, 200);
    `;
    const result = { status: 0, stdout: '' };
    try {
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
    } catch (error) {
      Object.assign(result, error);
    }
    const left = Date.now();
    expect(result.status).toBe(3);
    const { compiled, ended } = JSON.parse(result.stdout) as { compiled: boolean; ended: number };
    expect(compiled).toBe(false);
    // Compiling it takes tens of seconds.
    expect(left - ended).toBeLessThan(2000);
  });
});
