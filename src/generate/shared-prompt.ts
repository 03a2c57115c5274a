/** @module The beginning that the prompts of a batch share: a sequence that only reads it, and keeps its slot until the batch is done. */
import { createPromptLogprobs } from './prompt-logprobs.js';
import type { GenerationRequest, Sequence } from './sequence.js';

/** A shorter beginning is read again faster than it is copied. */
const SHORTEST = 64;

/**
 * The number of ids with which all prompts begin; 0 if it is not worth sharing. At least one id of each prompt is left, since the predictions
 * after it are needed.
 */
export function sharedLength(prompts: readonly (readonly number[])[]): number {
  const [first, ...others] = prompts;
  if (first === undefined || others.length === 0) return 0;
  let length = Math.min(...prompts.map((prompt) => prompt.length - 1));
  for (const prompt of others) {
    for (let i = 0; i < length; i++) if (prompt[i] !== first[i]) length = i;
  }
  return length >= SHORTEST ? length : 0;
}

async function* nothing(): AsyncGenerator<never> {}

/** @param batch returns the sequences that share the beginning */
export function createHolder(
  prompt: readonly number[],
  { logprobs = null }: GenerationRequest,
  batch: () => readonly Sequence[],
): Sequence {
  const siblings: Sequence[] = [];
  const holder: Sequence = {
    prompt,
    siblings,
    holder: null,
    promptLogprobs: createPromptLogprobs(logprobs),
    next: null,
    isHolder: true,
    get finish() {
      return batch().every(({ finish, abandoned }) => finish !== null || abandoned) ? 'length' : null;
    },
    get abandoned() {
      return batch().every(({ abandoned }) => abandoned);
    },
    output: nothing(),
    draw: () => 0,
    deliver: () => 0,
    fail: () => undefined,
  };
  siblings.push(holder);
  return holder;
}
