import { beforeAll, expect, it } from 'vitest';
import { retracedFunction, startEngine, tf } from '../../../src/engine/index.js';
import { callGrouped } from '../../../src/finetune/loop/grouped-call.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

it.each(['eager', 'graph'] as const)(
  'callGrouped passes groups to the function as given, including empty ones: %s',
  async (mode) => {
    const fn = retracedFunction(mode);
    const sizes: number[][] = [];
    const call = async (rows: readonly number[], more: readonly number[]) => {
      const groups = { rows: rows.map((value) => tf.scalar(value)), more: more.map((value) => tf.scalar(value)) };
      const out = await callGrouped(fn, groups, ({ rows, more }) => {
        sizes.push([rows.length, more.length]);
        return [...rows.map((value) => tf.mul(value, 10)), ...more];
      });
      const values = out.map((tensor) => tensor.dataSync()[0]);
      tf.dispose([...out, ...groups.rows, ...groups.more]);
      return values;
    };
    expect(await call([], [1, 2])).toEqual([1, 2]);
    // The same number of tensors in other groups needs another trace.
    expect(await call([1], [2])).toEqual([10, 2]);
    expect(sizes).toEqual([
      [0, 2],
      [1, 1],
    ]);
    fn.dispose();
  },
);
