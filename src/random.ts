/** @module Reproducible random numbers: each stream depends only on its key, not on where or in what order streams are drawn. */
import { createHash } from 'node:crypto';

/** Each call returns 32 uniform random bits as an unsigned integer. */
export type Generator = () => number;

/** xoshiro128** (Blackman and Vigna 2018), seeded with the SHA-256 of the key. */
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

/** Each call returns a uniform number in [0, 1) with 32 bits of resolution. */
export function uniformOf(key: string): () => number {
  const next = generatorOf(key);
  return () => next() / 2 ** 32;
}

/** The values in an order that depends on the key alone. */
export function shuffled<T>(values: readonly T[], key: string): T[] {
  const uniform = uniformOf(key);
  return values
    .map((value) => [uniform(), value] as const)
    .sort(([a], [b]) => a - b)
    .map(([, value]) => value);
}
