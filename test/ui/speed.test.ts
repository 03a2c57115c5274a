import { expect, it } from 'vitest';
import { watchSpeed } from '../../src/ui/speed.js';

/** The speed after one value per second. */
function after(values: readonly number[]) {
  const speedAt = watchSpeed();
  return values.map((done, second) => speedAt(done, second * 1000)).at(-1)!;
}

it('the speed excludes work done before', () => {
  expect(after([5e9, 5e9 + 10, 5e9 + 20])).toEqual({ perSecond: 10, seconds: 2 });
});

it('the speed is that of the last half minute', () => {
  const slow = Array.from({ length: 60 }, (_, i) => i);
  const fast = Array.from({ length: 31 }, (_, i) => 60 + 100 * i);
  expect(after([...slow, ...fast])).toEqual({ perSecond: 100, seconds: 90 });
});

it('the measurement restarts with another count', () => {
  expect(after([0, 1000, 2000, 0, 7])).toEqual({ perSecond: 7, seconds: 1 });
});

it('the speed is unknown at first', () => {
  expect(after([100])).toEqual({ perSecond: 0, seconds: 0 });
});
