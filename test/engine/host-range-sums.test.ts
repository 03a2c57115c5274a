import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { hostRangeSums } from '../../src/engine/host-range-sums.js';
import { rangeSums, startEngine, tf } from '../../src/engine/index.js';

beforeAll(() => startEngine({ threads: 2 }));

it('range sums on the host equal a few counted by hand', () => {
  const found = hostRangeSums({
    probabilities: [0.5, 0.25, 0.125, 0.125, 1, 2, 3, 4],
    width: 4,
    rows: [1, 0, 1],
    bounds: [0, 0, 1, 4, 4, 0, 4, 4, 0, 2, 2, 3].slice(0, 12),
  });
  expect([...found]).toEqual([0, 1, 9, 0, 1, 0, 3, 0, 3]);
});

it('range sums on the host equal the engine’s', () => {
  const cases = fc.record({
    probabilities: fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 24, maxLength: 24 }),
    rows: fc.array(fc.nat(2), { minLength: 2, maxLength: 2 }),
    bounds: fc.tuple(
      ...[0, 1].map(() =>
        fc.array(fc.nat(8), { minLength: 4, maxLength: 4 }).map((ends) => ends.sort((one, other) => one - other)),
      ),
    ),
  });
  fc.assert(
    fc.property(cases, ({ probabilities, rows, bounds }) => {
      const ours = hostRangeSums({ probabilities, width: 8, rows, bounds: bounds.flat() });
      const theirs = tf.tidy(() =>
        rangeSums(
          tf.tensor(probabilities, [3, 8]),
          tf.tensor(rows, [2], 'int32'),
          tf.tensor(bounds.flat(), [2, 4], 'int32'),
        ).dataSync(),
      );
      ours.forEach((sum, i) => {
        expect(Math.abs(sum - theirs[i]!)).toBeLessThan(1e-5);
      });
    }),
    { numRuns: 30 },
  );
});
