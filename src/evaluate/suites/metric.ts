/** @module Counts of items, and the metrics that follow from their sums. */
import { bitsPerByte } from '../../blt/index.js';

/** Counts of one item, by name. They are summed over the items of a group. */
export type Counts = Readonly<Record<string, number>>;

export interface Metric {
  /** The key in documents; it contains the unit. */
  readonly name: string;
  /** The column's title. */
  readonly title: string;
  /** `neither` if there is no good direction, and so nothing to retain. */
  readonly better: 'lower' | 'higher' | 'neither';
  readonly decimals: number;
  /** Whether it is a fraction that is shown in per cent. */
  readonly percent?: true;
  /** @returns null if the sums do not determine it */
  of(sums: Counts): number | null;
}

/** a / b, or null. */
export const ratio = (a: number | undefined, b: number | undefined): number | null =>
  a === undefined || b === undefined || b === 0 ? null : a / b;

/** Bits per byte of the sums `nats` and `bytes`. */
export const bits = (sums: Counts): number | null =>
  sums.bytes === undefined || sums.bytes === 0 ? null : bitsPerByte(sums.nats ?? 0, sums.bytes);

export const BITS_PER_BYTE: Metric = {
  name: 'bits_per_byte',
  title: 'bits per byte',
  better: 'lower',
  decimals: 4,
  of: bits,
};

/** Steps are patches of the model, tokens of the source. */
export const BYTES_PER_STEP: Metric = {
  name: 'bytes_per_step',
  title: 'bytes per patch (source: per token)',
  better: 'higher',
  decimals: 2,
  of: (sums) => ratio(sums.bytes, sums.steps),
};

/** The likelihood of an answer, which is graded where exact matches are all or nothing. */
export const LABEL_BITS: Metric = {
  ...BITS_PER_BYTE,
  name: 'label_bits_per_byte',
  title: 'bits per byte of the answer',
  decimals: 3,
};

/** A fraction of the items: the sum of `name`, divided by that of `items`. */
export const fraction = (name: string, title: string, better: Metric['better'] = 'higher'): Metric => ({
  name,
  title,
  better,
  decimals: 1,
  percent: true,
  of: (sums) => ratio(sums[name], sums.items),
});
