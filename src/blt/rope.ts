/** @module Rotary frequencies. */
import type { RopeConfig } from './config.js';

/**
 * Angular frequency of each pair j of a head, [headDim / 2]: theta^(-2j / headDim). With llama3 scaling, wavelengths longer than
 * original / low are multiplied by the factor, those shorter than original / high are unchanged, and those between are blended (blt-format
 * 4.3).
 */
export function inverseFrequencies(rope: RopeConfig, headDim: number): Float64Array {
  const plain = Float64Array.from({ length: headDim / 2 }, (_, j) => rope.theta ** ((-2 * j) / headDim));
  if (rope.type === 'default') return plain;
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions: original } = rope;
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < original / high) return frequency;
    if (wavelength > original / low) return frequency / factor;
    const smooth = (original / wavelength - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}
