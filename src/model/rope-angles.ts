/** @module The angles of rotary position embeddings (blt-format 1.2), rounded to float32 where transformers rounds them. No TensorFlow. */
import { inverseFrequencies, type RopeConfig } from '../blt/index.js';

/** cos and sin of each position and pair: [positions, headDim / 2]. */
export interface RopeAngles {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

export function ropeAngles(rope: RopeConfig, positions: Int32Array, headDim: number): RopeAngles {
  const frequencies = Float32Array.from(inverseFrequencies(rope, headDim));
  const half = headDim / 2;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let i = 0; i < positions.length; i++) {
    for (let j = 0; j < half; j++) {
      const angle = Math.fround(positions[i]! * frequencies[j]!);
      cos[i * half + j] = Math.cos(angle);
      sin[i * half + j] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
