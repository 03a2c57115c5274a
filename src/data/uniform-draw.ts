/** @module The draw that decides which side a piece goes to. */
import { createHash } from 'node:crypto';

/** A uniform number in [0, 1) that depends on the seed and the bytes alone: the order of files does not move a piece. */
export function uniformDraw(seed: number, piece: Uint8Array): number {
  return createHash('sha256').update(`${seed}/`).update(piece).digest().readUInt32LE(0) / 2 ** 32;
}
