import { describe, expect, it } from 'vitest';
import { VOCAB_SIZE } from '../../src/blt/index.js';
import { logprobOf } from '../../src/generate/logprobs.js';
import { createPromptLogprobs } from '../../src/generate/prompt-logprobs.js';

/** Logits that give an id this probability, and the others the same share of the rest. */
function certain(id: number, probability: number): Float32Array {
  const rest = Math.log((1 - probability) / (VOCAB_SIZE - 1));
  return Float32Array.from({ length: VOCAB_SIZE }, (_, i) => 7 + (i === id ? Math.log(probability) : rest));
}

describe('a log-probability', () => {
  it('is that of the softmax over all ids, with the likeliest ids, ties in order', () => {
    const found = logprobOf(certain(100, 0.5), 3, 3);
    expect(found.logprob).toBeCloseTo(Math.log(0.5 / 259), 4);
    expect(found.top.map(({ id }) => id)).toEqual([100, 0, 1]);
    expect(found.top[0]!.logprob).toBeCloseTo(Math.log(0.5), 4);
    expect(logprobOf(certain(100, 0.5), 100, 1).top[0]!.logprob).toBe(logprobOf(certain(100, 0.5), 100, 0).logprob);
  });
});

describe('the log-probabilities of a prompt', () => {
  const rows = [certain(11, 0.9), certain(12, 0.8), certain(13, 0.7)];
  const logits = Float32Array.from(rows.flatMap((row) => [...row]));
  const wanted = { top: 1, ofPrompt: true };

  it('are the same in one chunk and in several, the first null', () => {
    const whole = createPromptLogprobs(wanted);
    whole.read([10, 11, 99], logits);
    const parts = createPromptLogprobs(wanted);
    parts.read([10], rows[0]!);
    parts.read([11, 99], logits.slice(VOCAB_SIZE));
    expect(parts.values).toEqual(whole.values);
    expect(whole.values[0]).toBeNull();
    expect(whole.values.map((one) => one?.top[0]?.id)).toEqual([undefined, 11, 12]);
    expect(whole.values[1]!.logprob).toBeCloseTo(Math.log(0.9), 4);
  });

  it('continue what was read elsewhere, and are not collected unless they are wanted', () => {
    const reader = createPromptLogprobs(wanted);
    reader.read([10, 11], logits.slice(0, 2 * VOCAB_SIZE));
    const other = createPromptLogprobs(wanted);
    other.take(reader);
    other.read([12], rows[2]!);
    expect(other.values.map((one) => one?.id)).toEqual([undefined, 11, 12]);
    expect(reader.values.length).toBe(2);
    for (const unwanted of [null, { top: 1, ofPrompt: false }]) {
      const none = createPromptLogprobs(unwanted);
      none.read([10, 11], logits);
      expect(none.values).toEqual([]);
    }
  });
});
