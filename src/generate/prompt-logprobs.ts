/** @module Collects the log-probabilities of a prompt's ids while it is read, in chunks or by another sequence. */
import { VOCAB_SIZE } from '../blt/index.js';
import { type Logprob, logprobOf } from './logprobs.js';

export interface WantedLogprobs {
  /** Number of the likeliest ids at each place. */
  readonly top: number;
  /** Whether those of the prompt are wanted too. */
  readonly ofPrompt: boolean;
}

export interface PromptLogprobs {
  /** One per id that was read, null for the first, which nothing predicts. Empty if none are wanted. */
  readonly values: readonly (Logprob | null)[];
  /** The logits [260] after the last id that was read. */
  readonly last: Float32Array | null;
  /** @param logits [ids, 260], the predictions after each id */
  read(ids: readonly number[], logits: Float32Array): void;
  /** Takes what was collected for the same ids elsewhere. */
  take(other: PromptLogprobs): void;
}

export function createPromptLogprobs(wanted: WantedLogprobs | null): PromptLogprobs {
  let values: (Logprob | null)[] = [];
  let last: Float32Array | null = null;
  return {
    get values() {
      return values;
    },
    get last() {
      return last;
    },
    read(ids, logits) {
      if (wanted?.ofPrompt !== true) return;
      for (const [i, id] of ids.entries()) {
        const before = i === 0 ? last : logits.subarray((i - 1) * VOCAB_SIZE, i * VOCAB_SIZE);
        values.push(before === null ? null : logprobOf(before, id, wanted.top));
      }
      last = logits.slice(-VOCAB_SIZE);
    },
    take(other) {
      values = [...other.values];
      last = other.last;
    },
  };
}
