import { beforeAll, expect, it } from 'vitest';
import { compile, type Engine, startShapesEngine, tf, zeroVariable } from '../../../src/engine/index.js';
import { moduleText, type StableHloFunction } from '../../../src/engine/stablehlo/function.js';

const called: StableHloFunction[] = [];
let engine: Engine;
beforeAll(() => {
  engine = startShapesEngine((fn) => {
    called.push(fn);
    return [new Uint8Array(Float32Array.of(7).buffer)];
  });
});

it('a model of any size is traced without memory for its weights', async () => {
  const before = process.memoryUsage().rss;
  const weights = zeroVariable([100_000, 10_000], 'bfloat16');
  expect(engine.memory()).toMatchObject({ used: 2e9, peak: 2e9 });
  const step = compile(
    (x) => {
      weights.assign(tf.mul(weights.read(), tf.scalar(0.5)));
      return [tf.sum(tf.matMul(x!, weights.read()))];
    },
    [{ shape: [2, 100_000], dtype: 'float32' }],
  );
  const input = tf.zeros([2, 100_000]);
  expect(engine.memory()).toMatchObject({ used: 2e9 + 8e5 });
  const [sum] = await step.call([input]);
  // What the function would return is what was handed in.
  expect([...sum!.dataSync()]).toEqual([7]);
  expect(called).toHaveLength(1);
  const text = moduleText(called[0]!);
  expect(text).toContain('%v0: tensor<100000x10000xbf16> {tf.aliasing_output = 1 : i32}');
  expect(text.length).toBeLessThan(5000);
  expect(process.memoryUsage().rss - before).toBeLessThan(500e6);
  tf.dispose([input, sum!]);
  weights.dispose();
  expect(engine.memory()).toMatchObject({ used: 0, peak: 2e9 + 8e5 + 4 });
});
