/** @module llama3 rope scaling as GGUF files store it: one divisor per frequency instead of the rule's four numbers. */
import { inverseFrequencies } from '../blt/index.js';
import { ByteifyError } from '../errors.js';

/** The values of the published Llama 3.1 and 3.2 models. The divisors determine the remaining one, the factor. */
const LLAMA3 = { lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 } as const;

/** Relative tolerance: the file's divisors are float32, and were computed from float32 frequencies. */
const TOLERANCE = 1e-4;

/**
 * Finds the rope_scaling that produces the tensor `rope_freqs.weight` (llama.cpp's convert_hf_to_gguf.py computes it by blt-format 4.3).
 * @throws ByteifyError when the published models' values do not produce it.
 */
export function llama3Scaling(
  divisors: Float32Array,
  { theta, headDim, where }: { theta: number; headDim: number; where: string },
): Record<string, unknown> {
  const plain = inverseFrequencies({ type: 'default', theta }, headDim);
  // The longest wavelengths are divided by the full factor, which was meant to seven digits.
  const factor = Number(divisors.reduce((a, b) => Math.max(a, b), 0).toPrecision(7));
  const scaled = inverseFrequencies({ type: 'llama3', theta, factor, ...LLAMA3 }, headDim);
  const matches = (divisor: number, j: number) => Math.abs((divisor * scaled[j]!) / plain[j]! - 1) < TOLERANCE;
  if (divisors.length !== plain.length || !(factor > 1) || !divisors.every(matches)) {
    throw new ByteifyError(
      `${where}: this model cannot be converted: its rope_freqs do not match Llama 3.1’s scaling (a context of 8192, factors 1 and 4).`,
      { hint: 'Use the transformers checkpoint instead; its config contains the scaling parameters.' },
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
