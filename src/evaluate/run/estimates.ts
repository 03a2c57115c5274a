/**
 * @module Metrics of a suite with intervals. Counts are summed as items arrive, once as they are and once per bootstrap replicate with weights
 * drawn from Poisson(1) (Chamandy et al. 2012, "Estimating Uncertainty for Massive Data Streams"), so memory does not grow with the items.
 * An item has the same weights for the model and for its source, which makes the interval of their ratio a paired one.
 */
import { createHash } from 'node:crypto';
import { uniformOf } from '../../random.js';
import { ALL_ITEMS, type Group, type Item } from '../suites/item.js';
import type { Counts, Metric } from '../suites/metric.js';
import type { Estimate, SuiteResult } from '../suites/suite-result.js';

const REPLICATES = 1000;
/** Ends of the interval that contains 95 % of the replicates. */
const ENDS = [0.025, 0.975] as const;

/** P(X <= k) of Poisson(1) for k from 0 on; the rest has a probability below 1e-8. */
const CUMULATIVE: readonly number[] = (() => {
  const sums: number[] = [];
  for (let k = 0, term = Math.exp(-1), sum = 0; k <= 10; term /= ++k) {
    sum += term;
    sums.push(sum);
  }
  return sums;
})();

/** The weights of an item: 1 for the figure itself, then one per replicate. */
export function weightsOf(id: string): Float64Array {
  const uniform = uniformOf(`bootstrap ${id}`);
  return Float64Array.from({ length: 1 + REPLICATES }, (_, r) => {
    if (r === 0) return 1;
    const drawn = uniform();
    const k = CUMULATIVE.findIndex((below) => drawn < below);
    return k < 0 ? CUMULATIVE.length : k;
  });
}

/** Weighted sums of counts: entry 0 of each array is the sum itself. */
type Sums = Map<string, Float64Array>;

function add(sums: Sums, counts: Counts, weights: Float64Array): void {
  for (const [name, count] of Object.entries(counts)) {
    const of = sums.get(name) ?? new Float64Array(1 + REPLICATES);
    for (let r = 0; r < of.length; r++) of[r]! += weights[r]! * count;
    sums.set(name, of);
  }
}

/** The metric of the sums and of each replicate's. */
function valuesOf(metric: Metric, sums: Sums): (number | null)[] {
  const names = [...sums.keys()];
  return Array.from({ length: 1 + REPLICATES }, (_, r) =>
    metric.of(Object.fromEntries(names.map((name) => [name, sums.get(name)![r]!]))),
  );
}

function estimate([value, ...replicates]: readonly (number | null)[], items: number): Estimate {
  const known = replicates.filter((one) => one !== null).sort((a, b) => a - b);
  // One item has no spread to learn from, and an end of the interval may lie among undetermined replicates.
  const isDetermined = replicates.length - known.length <= ENDS[0] * replicates.length;
  if (items < 2 || !isDetermined) return { value: value ?? null, low: null, high: null };
  const [low, high] = ENDS.map((end) => known[Math.round(end * (known.length - 1))]!);
  return { value: value ?? null, low: low!, high: high! };
}

function retentionOf(metric: Metric, model: readonly (number | null)[], source: readonly (number | null)[]) {
  return model.map((own, r) => {
    if (metric.better === 'neither') return null;
    const other = source[r]!;
    if (own === null || other === null) return null;
    const [over, under] = metric.better === 'lower' ? [other, own] : [own, other];
    return under === 0 ? null : over / under;
  });
}

/** What counts, and to which rows of the table. */
export interface CountedItem extends Pick<Item, 'id' | 'unit' | 'groups'> {
  readonly texts: readonly Uint8Array[];
}

interface GroupSums {
  units: number;
  /** The unit that was added last: items of a unit follow each other. */
  last: string | null;
  readonly model: Sums;
  readonly source: Sums;
}

/** The group of all items comes last, and only if there are several others. */
function inOrder(groups: ReadonlyMap<Group, GroupSums>): (readonly [string, GroupSums])[] {
  const named = [...groups].flatMap(([name, sums]) => (typeof name === 'string' ? [[name, sums] as const] : []));
  const all = groups.get(ALL_ITEMS);
  return all === undefined || named.length === 1 ? named : [...named, ['all', all]];
}

/** Collects the counts of items and estimates metrics for each group. */
export function createEstimates(metrics: readonly Metric[]) {
  const groups = new Map<Group, GroupSums>();
  const digest = createHash('sha256');
  let units = 0;
  let last: string | null = null;
  return {
    /** @param source the counts of the source's answer to the same item; null if no source is measured */
    add({ id, unit = id, groups: names, texts }: CountedItem, model: Counts, source: Counts | null): void {
      const weights = weightsOf(unit);
      for (const text of texts) digest.update(`${text.length}:`).update(text);
      if (unit !== last) units++;
      last = unit;
      for (const name of names) {
        const group = groups.get(name) ?? { units: 0, last: null, model: new Map(), source: new Map() };
        groups.set(name, group);
        if (group.last !== unit) group.units++;
        group.last = unit;
        add(group.model, model, weights);
        if (source !== null) add(group.source, source, weights);
      }
    },
    results(): Omit<SuiteResult, 'unspelled'> {
      const found = inOrder(groups).map(([group, { units: items, model, source }]) => ({
        group,
        items,
        metrics: metrics.map((metric) => {
          const own = valuesOf(metric, model);
          if (source.size === 0) return { metric, model: estimate(own, items), source: null, retention: null };
          const others = valuesOf(metric, source);
          return {
            metric,
            model: estimate(own, items),
            source: estimate(others, items),
            retention: estimate(retentionOf(metric, own, others), items),
          };
        }),
      }));
      return { groups: found, items: units, itemsDigest: digest.copy().digest('hex') };
    },
  };
}
