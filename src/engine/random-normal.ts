/**
 * @module Normal random numbers that depend on a seed alone, the same on every device: TensorFlow's StatelessRandomNormal
 * (tensorflow/core/kernels/stateless_random_ops.cc), computed on the host. Its generator is Philox 4x32-10 (Salmon et al. 2011, "Parallel Random
 * Numbers: As Easy as 1, 2, 3").
 */
import * as tf from '@tensorflow/tfjs-core';

type Counter = [number, number, number, number];
type Key = [number, number];

const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;
/** The key of the generator that turns a seed into a key and a counter (stateless_random_ops.cc: GenerateKey). */
const SEEDING_KEY: Key = [0x3ec8f720, 0x02461e29];

/** The upper 32 bits of a product of two 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 65_536);
  const carry = aLow * bHigh + (middle % 65_536);
  return (aHigh * bHigh + Math.floor(middle / 65_536) + Math.floor(carry / 65_536)) >>> 0;
}

function philox(counter: Readonly<Counter>, key: Readonly<Key>): Counter {
  let [a, b, c, d] = counter;
  let [first, second] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [highA, lowA] = [multiplyHigh(MULTIPLIERS[0], a), Math.imul(MULTIPLIERS[0], a) >>> 0];
    const [highC, lowC] = [multiplyHigh(MULTIPLIERS[1], c), Math.imul(MULTIPLIERS[1], c) >>> 0];
    [a, b, c, d] = [(highC ^ b ^ first) >>> 0, lowC, (highA ^ d ^ second) >>> 0, lowA];
    first = (first + WEYL[0]) >>> 0;
    second = (second + WEYL[1]) >>> 0;
  }
  return [a, b, c, d];
}

/** 23 random bits as a number in [0, 1). */
const uniform = (bits: number) => (bits & 0x7fffff) / 0x800000;

/** Two normal numbers from two random words (random_distributions.h: BoxMullerFloat). */
function boxMuller(a: number, b: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(Math.max(uniform(a), 1e-7)));
  const angle = 2 * Math.PI * uniform(b);
  return [Math.sin(angle) * radius, Math.cos(angle) * radius];
}

/** A 64-bit seed as two words. */
const words = (seed: number): [number, number] => [seed >>> 0, seed < 0 ? 0xffffffff : 0];

/** @param seed two 32-bit integers @returns float32 [...shape], with mean 0 and variance 1 */
export function randomNormal(shape: readonly number[], seed: readonly [number, number]): tf.Tensor {
  const mixed = philox([...words(seed[0]), ...words(seed[1])], SEEDING_KEY);
  const key: Key = [mixed[0], mixed[1]];
  const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let at = 0; at < values.length; at += 4) {
    const [a, b, c, d] = philox([at / 4, 0, mixed[2], mixed[3]], key);
    values.set([...boxMuller(a, b), ...boxMuller(c, d)].slice(0, values.length - at), at);
  }
  return tf.tensor(values, [...shape], 'float32');
}
