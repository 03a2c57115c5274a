/** @module Fresh tensors, in pieces: a hash table of 15 GB is never in memory. */
import type { TensorSpec } from '../blt/index.js';
import { generatorOf } from '../random.js';
import { elementCount, fromFloat32 } from '../safetensors/index.js';
import { fillTruncatedNormal } from './truncated-normal.js';

/** Values of one piece: even, so that pairs of normals are not split, and fixed, so that a tensor is the same on every machine. */
const PIECE_VALUES = 2 ** 21;

/** A fresh tensor's bytes: ones for norms, a truncated normal otherwise. Each piece has a generator of its own. */
export function* freshPieces(
  { name, shape, initStd }: TensorSpec,
  seed: number,
  dtype: 'F32' | 'BF16',
): Generator<Uint8Array> {
  const count = elementCount(shape);
  for (let from = 0; from < count; from += PIECE_VALUES) {
    const values = new Float32Array(Math.min(PIECE_VALUES, count - from));
    if (initStd === 0) values.fill(1);
    else fillTruncatedNormal(values, initStd, generatorOf(`${seed}/${name}/${from / PIECE_VALUES}`));
    yield fromFloat32(values, dtype);
  }
}
