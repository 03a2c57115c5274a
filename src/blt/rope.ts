/** @module Rotary frequencies. */
import type { RopeConfig } from './config.js';

/**
 * Angular frequency of each pair j of a head [headDim / 2]: theta^(-2j / headDim), with llama3's rule where it applies: wavelengths
 * beyond original / low are stretched by the factor, those below original / high stay, those between are blended (blt-format 4.3).
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
