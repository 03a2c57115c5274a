/** @module What a suite found: metrics with intervals, for each group of items. */
import type { Metric } from './metric.js';

/** A figure and the interval of its replicates; null where it is undetermined. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface MetricResult {
  readonly metric: Metric;
  readonly model: Estimate;
  /** Null if no source was measured. */
  readonly source: Estimate | null;
  /** How much of the source's figure the model retains: model / source where higher is better, source / model where lower is. */
  readonly retention: Estimate | null;
}

export interface GroupResult {
  readonly group: string;
  readonly items: number;
  readonly metrics: readonly MetricResult[];
}

export interface SuiteResult {
  readonly groups: readonly GroupResult[];
  /** Those that count, each once. */
  readonly items: number;
  /** SHA-256 of the texts of the items that count: figures of the same items can be compared. */
  readonly itemsDigest: string;
  /** Items that the source's tokens cannot spell, which count for neither. */
  readonly unspelled: number;
}
