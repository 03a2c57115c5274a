/** @module Samples a byte from next-byte logits. The parameters have the order and meaning that they have in transformers. Pure functions. */
import { BYTE_OFFSET, EOS, VOCAB_SIZE } from '../blt/index.js';

export interface Sampling {
  /** The divisor of the logits; 0 takes the most likely byte. */
  readonly temperature: number;
  /** Keeps the k most likely ids; 0 keeps all. */
  readonly topK: number;
  /** Keeps the fewest most likely ids whose probabilities reach this sum; 1 keeps all. */
  readonly topP: number;
  /** Keeps the ids whose probability is at least this fraction of the highest; 0 keeps all. */
  readonly minP: number;
  /** Divides positive and multiplies negative logits of bytes that already occur in the text; 1 changes nothing. */
  readonly repetitionPenalty: number;
}

export const PLAIN_SAMPLING: Sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

/** BOE, BOS and the BPE delimiter are never generated; EOS ends the text. */
const canBeSampled = (id: number) => id === EOS || id >= BYTE_OFFSET;

/** Probability 1 for the most likely id (the first in a tie), 0 for the others. */
function mostLikely(logits: Float64Array): Float64Array {
  let best = EOS;
  for (let id = 0; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  const probabilities = new Float64Array(logits.length);
  probabilities[best] = 1;
  return probabilities;
}

function softmax(logits: Float64Array, temperature: number): Float64Array {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const weights = logits.map((logit) => Math.exp((logit - highest) / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Ids from the most to the least likely; ties keep their order. */
const ranked = (probabilities: Float64Array): number[] =>
  [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);

/** The distribution restricted to some ids, normalised to a sum of 1. */
function only(probabilities: Float64Array, kept: readonly number[]): Float64Array {
  const sum = kept.reduce((total, id) => total + probabilities[id]!, 0);
  const left = new Float64Array(probabilities.length);
  for (const id of kept) left[id] = probabilities[id]! / sum;
  return left;
}

/** The number of ranked ids whose probabilities reach `share`; at least one. */
function countReaching(probabilities: Float64Array, ids: readonly number[], share: number): number {
  let sum = 0;
  for (const [at, id] of ids.entries()) {
    sum += probabilities[id]!;
    if (sum >= share) return at + 1;
  }
  return ids.length;
}

/**
 * The distribution of the next id, [260]: only bytes and EOS have probability above 0.
 * @param logits [260]
 * @param present ids that occur in the text, for the repetition penalty
 */
export function nextProbabilities(
  logits: Float32Array,
  present: ReadonlySet<number>,
  sampling: Sampling,
): Float64Array {
  const { temperature, topK, topP, minP, repetitionPenalty: penalty } = sampling;
  const allowed = Float64Array.from({ length: VOCAB_SIZE }, (_, id) => {
    const logit = logits[id]!;
    if (!canBeSampled(id)) return Number.NEGATIVE_INFINITY;
    if (penalty === 1 || !present.has(id)) return logit;
    return logit > 0 ? logit / penalty : logit * penalty;
  });
  if (temperature === 0) return mostLikely(allowed);
  let probabilities = softmax(allowed, temperature);
  if (topK > 0) probabilities = only(probabilities, ranked(probabilities).slice(0, topK));
  if (topP < 1) {
    const ids = ranked(probabilities);
    probabilities = only(probabilities, ids.slice(0, countReaching(probabilities, ids, topP)));
  }
  if (minP > 0) {
    const least = minP * probabilities.reduce((most, p) => Math.max(most, p), 0);
    const kept = [...probabilities.keys()].filter((id) => probabilities[id]! >= least);
    probabilities = only(probabilities, kept);
  }
  return probabilities;
}

/** Samples an id. @param probabilities [260], with a sum of 1 @param uniform a uniform draw from [0, 1) */
export function drawId(probabilities: Float64Array, uniform: number): number {
  let passed = 0;
  let last = EOS;
  for (const [id, probability] of probabilities.entries()) {
    if (probability === 0) continue;
    passed += probability;
    last = id;
    if (passed > uniform) break;
  }
  return last;
}
