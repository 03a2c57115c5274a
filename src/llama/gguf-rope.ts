/** @module llama3 scaling as GGUF files hold it: a divisor of each frequency, instead of the rule's four numbers. */
import { inverseFrequencies } from '../blt/index.js';
import { ByteifyError } from '../errors.js';

/** Published Llama 3.1 and 3.2 models use these; which factor, the divisors tell. */
const LLAMA3 = { lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 } as const;

/** Relative: the file's divisors are float32, and were computed with float32 frequencies. */
const TOLERANCE = 1e-4;

/**
 * The rope_scaling that gives the tensor `rope_freqs.weight` (convert_hf_to_gguf.py of llama.cpp makes it by the rule of blt-format 4.3).
 * @throws ByteifyError when it is not what the published models' numbers give.
 */
export function llama3Scaling(
  divisors: Float32Array,
  { theta, headDim, where }: { theta: number; headDim: number; where: string },
): Record<string, unknown> {
  const plain = inverseFrequencies({ type: 'default', theta }, headDim);
  // The longest wavelengths are divided by the whole factor. Seven digits of it were meant.
  const factor = Number(divisors.reduce((a, b) => Math.max(a, b), 0).toPrecision(7));
  const scaled = inverseFrequencies({ type: 'llama3', theta, factor, ...LLAMA3 }, headDim);
  const matches = (divisor: number, j: number) => Math.abs((divisor * scaled[j]!) / plain[j]! - 1) < TOLERANCE;
  if (divisors.length !== plain.length || !(factor > 1) || !divisors.every(matches)) {
    throw new ByteifyError(
      `${where}: this model cannot be converted: its rope_freqs are not those of Llama 3.1’s scaling (a context of 8192, factors 1 and 4).`,
      { hint: 'Use the transformers checkpoint instead, whose config names the numbers.' },
    );
  }
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: LLAMA3.lowFreqFactor,
    high_freq_factor: LLAMA3.highFreqFactor,
    original_max_position_embeddings: LLAMA3.originalMaxPositions,
  };
}
