import { describe, expect, it } from 'vitest';
import { createEstimates, weightsOf } from '../../../src/evaluate/run/estimates.js';
import { fraction, type Metric } from '../../../src/evaluate/suites/metric.js';
import { uniformOf } from '../../../src/random.js';

const HIT = fraction('hit', 'hits');
const BITS: Metric = {
  name: 'bits',
  title: 'bits',
  better: 'lower',
  decimals: 2,
  of: (sums) => sums.bits! / sums.items!,
};

describe('the weights of the bootstrap', () => {
  it('are 1 for the figure itself, then drawn from Poisson(1), the same for the same item', () => {
    const weights = weightsOf('a');
    expect(weights[0]).toBe(1);
    expect(weightsOf('a')).toEqual(weights);
    expect(weightsOf('b')).not.toEqual(weights);
    const drawn = Array.from({ length: 20 }, (_, i) => [...weightsOf(`item ${i}`).subarray(1)]).flat();
    const mean = drawn.reduce((sum, one) => sum + one, 0) / drawn.length;
    const variance = drawn.reduce((sum, one) => sum + (one - mean) ** 2, 0) / drawn.length;
    expect(mean).toBeCloseTo(1, 1);
    expect(variance).toBeCloseTo(1, 1);
    const none = drawn.filter((one) => one === 0).length / drawn.length;
    expect(none).toBeCloseTo(Math.exp(-1), 2);
  });
});

describe('estimates', () => {
  it('are ratios of sums, with the interval of a proportion', () => {
    const estimates = createEstimates([HIT]);
    const uniform = uniformOf('hits');
    let hits = 0;
    for (let i = 0; i < 400; i++) {
      const hit = uniform() < 0.3 ? 1 : 0;
      hits += hit;
      estimates.add(`${i}`, ['g'], { items: 1, hit }, null);
    }
    const { model, source, retention } = estimates.results()[0]!.metrics[0]!;
    const share = hits / 400;
    const error = 1.96 * Math.sqrt((share * (1 - share)) / 400);
    expect(model.value).toBeCloseTo(share, 9);
    expect(Math.abs(model.low! - (share - error))).toBeLessThan(0.01);
    expect(Math.abs(model.high! - (share + error))).toBeLessThan(0.01);
    expect([source, retention]).toEqual([null, null]);
  });

  it('compare a model with its source on the same items, so that what is common to both cancels', () => {
    const estimates = createEstimates([BITS]);
    const uniform = uniformOf('bits');
    for (let i = 0; i < 50; i++) {
      const difficulty = 1 + 9 * uniform();
      estimates.add(`${i}`, ['g'], { items: 1, bits: 2 * difficulty }, { items: 1, bits: difficulty });
    }
    const { model, retention } = estimates.results()[0]!.metrics[0]!;
    expect(model.high! - model.low!).toBeGreaterThan(1);
    for (const part of [retention!.value, retention!.low, retention!.high]) expect(part).toBeCloseTo(0.5, 9);
  });

  it('retain the source’s figure in the direction that is better, and nothing where none is', () => {
    const estimates = createEstimates([HIT, BITS, { ...BITS, name: 'gap', better: 'neither' }]);
    for (const id of ['a', 'b'])
      estimates.add(id, ['g'], { items: 1, hit: 0.5, bits: 4 }, { items: 1, hit: 1, bits: 3 });
    const values = estimates.results()[0]!.metrics.map(({ retention }) => retention!.value);
    expect(values).toEqual([0.5, 0.75, null]);
  });

  it('have no interval for a single item, and the group of all items last, if there are others', () => {
    const estimates = createEstimates([HIT]);
    estimates.add('1', ['a', 'all'], { items: 1, hit: 1 }, null);
    expect(estimates.results().map(({ group }) => group)).toEqual(['a']);
    expect(estimates.results()[0]!.metrics[0]!.model).toEqual({ value: 1, low: null, high: null });
    estimates.add('2', ['b', 'all'], { items: 1, hit: 0 }, null);
    expect(estimates.results().map(({ group, items }) => [group, items])).toEqual([
      ['a', 1],
      ['b', 1],
      ['all', 2],
    ]);
  });
});
