/** @module The five kinds of noise of the BLT paper (section 6.1, "Character-level tasks"), on characters, reproducible by a key. */
import { uniformOf } from '../../random.js';

export interface NoiseRates {
  /** Fraction of characters that `drop` removes. */
  readonly drop: number;
  /** Probability with which `random case` makes a letter upper case. */
  readonly upper: number;
  /** Fraction of characters that `repeat` repeats. */
  readonly repeat: number;
  /** The most times that a repeated character stands in the text. */
  readonly times: number;
}

type Transform = (characters: readonly string[], uniform: () => number, rates: NoiseRates) => readonly string[];

/** By name; each is given characters, and a stream of uniform draws. */
const TRANSFORMS = {
  antspeak: (characters) => [[...characters].map((one) => one.toUpperCase()).join(' ')],
  drop: (characters, uniform, { drop }) => characters.filter(() => uniform() >= drop),
  random_case: (characters, uniform, { upper }) =>
    characters.map((one) => (uniform() < upper ? one.toUpperCase() : one.toLowerCase())),
  repeat: (characters, uniform, { repeat, times }) =>
    characters.map((one) => (uniform() < repeat ? one.repeat(2 + Math.floor(uniform() * (times - 1))) : one)),
  upper_case: (characters) => characters.map((one) => one.toUpperCase()),
} satisfies Readonly<Record<string, Transform>>;

export type Noise = keyof typeof TRANSFORMS;

export const NOISES = Object.keys(TRANSFORMS) as readonly Noise[];

/** A noised text. @param key texts with different keys get different draws */
export function noised(text: string, noise: Noise, rates: NoiseRates, key: string): string {
  const transform: Transform = TRANSFORMS[noise];
  return transform([...text], uniformOf(`noise ${noise} ${key}`), rates).join('');
}
