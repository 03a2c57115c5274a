/**
 * @module Gates of the decoder's first feed-forward units, divided among the classes of token prefixes: a unit opens where the n-gram tables say
 * that the token has begun with a prefix of its class. Classes get units by how uncertain the source is after them.
 */
import { tf, valuesOf } from '../../../engine/index.js';
import type { DecoderExamples } from './decoder-examples.js';
import type { NgramModel } from './ngram-model.js';
import { apportion } from './prefix-clusters.js';

/** Units grow more slowly than the share of the entropy, so that rare prefixes get some too. */
const SHARE_EXPONENT = 0.7;
/** Gates are at this value where their class is right, and at its negative where it is wrong, on average. */
const GATE = 1;
/** Two classes whose logits differ less are not told apart any better. */
const MIN_MARGIN = 1;

/** Gates as functions of the sum of an n-gram model: gate = weights sum + bias. */
export interface PrefixGates {
  /** [units, width of the n-gram model]. */
  readonly weights: Float32Array;
  /** [units]. */
  readonly bias: Float32Array;
}

/** Sums of the rows of an n-gram model at some positions [n, width]. */
export function ngramSums(
  { width, bytes, tables }: NgramModel,
  { ids, hashRows, tables: count }: Pick<DecoderExamples, 'ids' | 'hashRows' | 'tables'>,
  positions: number,
): Float32Array {
  const sums = new Float32Array(positions * width);
  const add = (at: number, from: Float32Array, row: number) => {
    for (let i = 0; i < width; i++) sums[at * width + i]! += from[row * width + i]!;
  };
  for (let at = 0; at < positions; at++) {
    add(at, bytes, ids[at]!);
    for (let table = 0; table < count; table++) add(at, tables, hashRows[at * count + table]!);
  }
  return sums;
}

/** How many units each class gets. */
export function unitsOf(classes: Int32Array, entropies: Float32Array, count: number, units: number): Int32Array {
  const shares = new Float64Array(count);
  classes.forEach((prefix, at) => {
    shares[prefix]! += entropies[at]!;
  });
  return apportion(
    units,
    shares.map((share) => share ** SHARE_EXPONENT),
  );
}

/** The mean logit of each class where it is right and where it is wrong. @param logits [n, count]. */
function meanLogits(logits: Float32Array, classes: Int32Array, count: number) {
  const right = { sums: new Float64Array(count), counts: new Float64Array(count) };
  const wrong = { sums: new Float64Array(count), counts: new Float64Array(count) };
  classes.forEach((own, at) => {
    for (let prefix = 0; prefix < count; prefix++) {
      const side = prefix === own ? right : wrong;
      side.sums[prefix]! += logits[at * count + prefix]!;
      side.counts[prefix]!++;
    }
  });
  const mean = ({ sums, counts }: typeof right) => sums.map((sum, i) => sum / Math.max(1, counts[i]!));
  return { right: mean(right), wrong: mean(wrong) };
}

/** Positions on which the gates are adjusted. */
const ADJUSTED_POSITIONS = 60_000;

/** @param units the number of feed-forward units. The engine must be started. */
export function prefixGates(ngrams: NgramModel, examples: DecoderExamples, units: number): PrefixGates {
  const { width, clusters, prefix } = ngrams;
  const classes = Int32Array.from(examples.prefixes, (text) => clusters.of(text));
  const some = Math.min(examples.count, ADJUSTED_POSITIONS);
  const logits = valuesOf(() => {
    const sums = tf.tensor2d(ngramSums(ngrams, examples, some), [some, width]);
    const weights = tf.tensor2d(prefix.weights, [clusters.count, width]);
    return tf.add(tf.matMul(sums, weights, false, true), tf.tensor1d(prefix.bias));
  });
  const { right, wrong } = meanLogits(logits, classes.subarray(0, some), clusters.count);
  const gates = { weights: new Float32Array(units * width), bias: new Float32Array(units) };
  let unit = 0;
  unitsOf(classes, examples.entropies, clusters.count, units).forEach((own, cluster) => {
    const margin = Math.max(MIN_MARGIN, right[cluster]! - wrong[cluster]!);
    const scale = (2 * GATE) / margin;
    const middle = (right[cluster]! + wrong[cluster]!) / 2;
    for (const end = unit + own; unit < end; unit++) {
      for (let i = 0; i < width; i++) gates.weights[unit * width + i] = scale * prefix.weights[cluster * width + i]!;
      gates.bias[unit] = scale * (prefix.bias[cluster]! - middle);
    }
  });
  return gates;
}
