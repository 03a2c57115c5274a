/** @module Random numbers of fresh tensors: the same for a seed and a name, whatever is made before and in whatever pieces. */
import { createHash } from 'node:crypto';

/** 32 uniform bits at a time. */
export type Generator = () => number;

/** xoshiro128** (Blackman and Vigna 2018), its state drawn from sha256 of the key. */
export function generatorOf(key: string): Generator {
  const digest = createHash('sha256').update(key).digest();
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number];
  const rotate = (value: number, by: number) => (value << by) | (value >>> (32 - by));
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
}

const LIMIT = 3;

/**
 * Fills an array with a normal distribution of the given deviation, cut at three deviations (blt-format 3.1): Marsaglia's polar
 * method, values beyond the cut drawn again.
 */
export function fillTruncatedNormal(values: Float32Array, std: number, next: Generator): void {
  let i = 0;
  while (i < values.length) {
    const u = next() / 2 ** 31 - 1;
    const v = next() / 2 ** 31 - 1;
    const square = u * u + v * v;
    if (square >= 1 || square === 0) continue;
    const scale = Math.sqrt((-2 * Math.log(square)) / square);
    const first = u * scale;
    const second = v * scale;
    if (Math.abs(first) <= LIMIT) values[i++] = first * std;
    if (i < values.length && Math.abs(second) <= LIMIT) values[i++] = second * std;
  }
}
