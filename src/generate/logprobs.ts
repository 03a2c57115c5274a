/** @module Log-probabilities of ids under the model's own distribution, whatever the sampling. */
import { VOCAB_SIZE } from '../blt/index.js';
import { logSumExp } from '../model/index.js';

/** The log-probability, in nats, of an id among all 260. */
export interface IdLogprob {
  readonly id: number;
  readonly logprob: number;
}

/** An id of a text, with the likeliest ids at its place, the likeliest first. */
export interface Logprob extends IdLogprob {
  readonly top: readonly IdLogprob[];
}

/** @param logits [260] of the prediction @param id what stands in the text @param count number of likeliest ids */
export function logprobOf(logits: Float32Array, id: number, count: number): Logprob {
  const normaliser = logSumExp(logits);
  const of = (one: number): IdLogprob => ({ id: one, logprob: logits[one]! - normaliser });
  const ids = count === 0 ? [] : Array.from({ length: VOCAB_SIZE }, (_, one) => one);
  const top = ids.sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
  return { ...of(id), top: top.map(of) };
}
