/** @module From next-byte logits to a byte: the usual knobs, in the order and with the meaning that they have in transformers. Pure functions. */
import { BYTE_OFFSET, EOS, VOCAB_SIZE } from '../blt/index.js';

export interface Sampling {
  /** 0 takes the likeliest byte; else logits are divided by it. */
  readonly temperature: number;
  /** Keeps the k likeliest; 0 keeps all. */
  readonly topK: number;
  /** Keeps the fewest likeliest whose probabilities reach this sum; 1 keeps all. */
  readonly topP: number;
  /** Keeps those at least this share as likely as the likeliest; 0 keeps all. */
  readonly minP: number;
  /** Logits of bytes that the text holds already are divided by it where positive and multiplied where negative; 1 changes nothing. */
  readonly repetitionPenalty: number;
}

export const PLAIN_SAMPLING: Sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

/** BOE, BOS and the BPE delimiter are never written; EOS ends the text. */
const isWritten = (id: number) => id === EOS || id >= BYTE_OFFSET;

/** 1 for the likeliest, 0 for the others; the first of those that tie. */
function likeliest(logits: Float64Array): Float64Array {
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

/** Ids from the likeliest to the least likely; those that tie, in their order. */
const ranked = (probabilities: Float64Array): number[] =>
  [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);

/** The same with only some ids left, to a sum of 1. */
function only(probabilities: Float64Array, kept: readonly number[]): Float64Array {
  const sum = kept.reduce((total, id) => total + probabilities[id]!, 0);
  const left = new Float64Array(probabilities.length);
  for (const id of kept) left[id] = probabilities[id]! / sum;
  return left;
}

/** How many of the ranked ids it takes for their probabilities to reach `share`; at least one. */
function countReaching(probabilities: Float64Array, ids: readonly number[], share: number): number {
  let sum = 0;
  for (const [at, id] of ids.entries()) {
    sum += probabilities[id]!;
    if (sum >= share) return at + 1;
  }
  return ids.length;
}

/**
 * The distribution that the next id is drawn from, [260]: bytes and EOS only.
 * @param logits [260]. @param present ids that the text holds, for the repetition penalty
 */
export function nextProbabilities(
  logits: Float32Array,
  present: ReadonlySet<number>,
  sampling: Sampling,
): Float64Array {
  const { temperature, topK, topP, minP, repetitionPenalty: penalty } = sampling;
  const allowed = Float64Array.from({ length: VOCAB_SIZE }, (_, id) => {
    const logit = logits[id]!;
    if (!isWritten(id)) return Number.NEGATIVE_INFINITY;
    if (penalty === 1 || !present.has(id)) return logit;
    return logit > 0 ? logit / penalty : logit * penalty;
  });
  if (temperature === 0) return likeliest(allowed);
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

/** An id by its probability. @param uniform a uniform draw from [0, 1) */
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
