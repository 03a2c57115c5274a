/** @module Fresh tensors, generated in chunks so that a hash table of 15 GB is never in memory as a whole. */
import type { TensorSpec } from '../blt/index.js';
import { generatorOf } from '../random.js';
import { elementCount, fromFloat32 } from '../safetensors/index.js';
import { fillTruncatedNormal } from './truncated-normal.js';

/** Values per chunk. It is even, so that pairs of normals are not split, and fixed, so that a tensor is the same on every machine. */
const CHUNK_VALUES = 2 ** 21;

/** Yields a fresh tensor's bytes: ones for norms, a truncated normal otherwise. Each chunk has its own random generator. */
export function* freshChunks(
  { name, shape, initStd }: TensorSpec,
  seed: number,
  dtype: 'F32' | 'BF16',
): Generator<Uint8Array> {
  const count = elementCount(shape);
  for (let from = 0; from < count; from += CHUNK_VALUES) {
    const values = new Float32Array(Math.min(CHUNK_VALUES, count - from));
    if (initStd === 0) values.fill(1);
    else fillTruncatedNormal(values, initStd, generatorOf(`${seed}/${name}/${from / CHUNK_VALUES}`));
    yield fromFloat32(values, dtype);
  }
}
