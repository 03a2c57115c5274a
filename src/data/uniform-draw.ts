/** @module The random draw that assigns a document chunk to a split. */
import { createHash } from 'node:crypto';

/** A uniform number in [0, 1) that depends only on the seed and the bytes, so the order of files does not change the split. */
export function uniformDraw(seed: number, chunk: Uint8Array): number {
  return createHash('sha256').update(`${seed}/`).update(chunk).digest().readUInt32LE(0) / 2 ** 32;
}
