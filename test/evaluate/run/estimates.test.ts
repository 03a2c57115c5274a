import { describe, expect, it } from 'vitest';
import { createEstimates, weightsOf } from '../../../src/evaluate/run/estimates.js';
import { ALL_ITEMS, type Group, utf8 } from '../../../src/evaluate/suites/item.js';
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

const item = (id: string, ...groups: Group[]) => ({ id, groups, texts: [utf8(id)] });

describe('estimates', () => {
  it('are ratios of sums, with the interval of a proportion', () => {
    const estimates = createEstimates([HIT]);
    const uniform = uniformOf('hits');
    let hits = 0;
    for (let i = 0; i < 400; i++) {
      const hit = uniform() < 0.3 ? 1 : 0;
      hits += hit;
      estimates.add(item(`${i}`, 'g'), { items: 1, hit }, null);
    }
    const { model, source, retention } = estimates.results().groups[0]!.metrics[0]!;
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
      estimates.add(item(`${i}`, 'g'), { items: 1, bits: 2 * difficulty }, { items: 1, bits: difficulty });
    }
    const { model, retention } = estimates.results().groups[0]!.metrics[0]!;
    expect(model.high! - model.low!).toBeGreaterThan(1);
    for (const part of [retention!.value, retention!.low, retention!.high]) expect(part).toBeCloseTo(0.5, 9);
  });

  it('retain the source’s figure in the direction that is better, and nothing where none is', () => {
    const estimates = createEstimates([HIT, BITS, { ...BITS, name: 'gap', better: 'neither' }]);
    for (const id of ['a', 'b'])
      estimates.add(item(id, 'g'), { items: 1, hit: 0.5, bits: 4 }, { items: 1, hit: 1, bits: 3 });
    const values = estimates.results().groups[0]!.metrics.map(({ retention }) => retention!.value);
    expect(values).toEqual([0.5, 0.75, null]);
  });

  it('have no interval for a single item, and the group of all items last, if there are others', () => {
    const estimates = createEstimates([HIT]);
    estimates.add(item('1', 'a', ALL_ITEMS), { items: 1, hit: 1 }, null);
    expect(estimates.results().groups.map(({ group }) => group)).toEqual(['a']);
    expect(estimates.results().groups[0]!.metrics[0]!.model).toEqual({ value: 1, low: null, high: null });
    estimates.add(item('2', 'b', ALL_ITEMS), { items: 1, hit: 0 }, null);
    expect(estimates.results().groups.map(({ group, items }) => [group, items])).toEqual([
      ['a', 1],
      ['b', 1],
      ['all', 2],
    ]);
  });

  it('count and resample the parts of a unit as one', () => {
    const [parts, whole] = [createEstimates([HIT]), createEstimates([HIT])];
    for (let i = 0; i < 30; i++) {
      const hit = i % 3 === 0 ? 1 : 0;
      for (const part of [1, 2]) parts.add({ ...item(`${i} ${part}`, 'g'), unit: `${i}` }, { items: 1, hit }, null);
      whole.add(item(`${i}`, 'g'), { items: 2, hit: 2 * hit }, null);
    }
    expect(parts.results().groups).toEqual(whole.results().groups);
    expect(parts.results().items).toBe(30);
  });

  it('keep a kind of text that is called "all" apart from all items', () => {
    const estimates = createEstimates([HIT]);
    estimates.add(item('1', 'all', ALL_ITEMS), { items: 1, hit: 1 }, null);
    estimates.add(item('2', 'code', ALL_ITEMS), { items: 1, hit: 0 }, null);
    expect(estimates.results().groups.map(({ group, items }) => [group, items])).toEqual([
      ['all', 1],
      ['code', 1],
      ['all', 2],
    ]);
  });

  it('have no interval where too many replicates leave a figure undetermined', () => {
    const estimates = createEstimates([BITS]);
    for (let i = 0; i < 50; i++)
      estimates.add(item(`${i}`, 'g'), { items: 1, bits: 1 }, { items: 1, bits: i === 0 ? 1 : 0 });
    const { model, retention } = estimates.results().groups[0]!.metrics[0]!;
    expect(model.low).not.toBeNull();
    // Lower is better: the source's bits over the model's are determined, the reverse would not be.
    expect(retention!.low).toBe(0);
    const reverse = createEstimates([{ ...BITS, better: 'higher' }]);
    for (let i = 0; i < 50; i++)
      reverse.add(item(`${i}`, 'g'), { items: 1, bits: 1 }, { items: 1, bits: i === 0 ? 1 : 0 });
    const other = reverse.results().groups[0]!.metrics[0]!.retention!;
    expect(other.value).toBeCloseTo(50, 6);
    expect([other.low, other.high]).toEqual([null, null]);
  });

  it('identify the texts that count', () => {
    const digest = (...texts: string[]) => {
      const estimates = createEstimates([HIT]);
      for (const text of texts) estimates.add({ ...item(text, 'g'), texts: [utf8(text)] }, { items: 1 }, null);
      return estimates.results().itemsDigest;
    };
    expect(digest('ab', 'c')).toBe(digest('ab', 'c'));
    expect(digest('ab', 'c')).not.toBe(digest('a', 'bc'));
  });
});
