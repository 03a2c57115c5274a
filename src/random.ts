/** @module Random numbers that are the same wherever and in whatever order they are drawn: each stream follows from its key alone. */
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

/** Uniform numbers in [0, 1), of 32 bits. */
export function uniformOf(key: string): () => number {
  const next = generatorOf(key);
  return () => next() / 2 ** 32;
}
