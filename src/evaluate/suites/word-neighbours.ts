/**
 * @module Word vectors in fastText's text format, and from them words that look like another but mean something else, and the reverse: the
 * thresholds are those of CUTE (Levenshtein ratio above 0.7 or below 0.3, cosine above 0.5 or below 0.2).
 */
import { UsageError } from '../../errors.js';
import type { CuteProblem, Random } from './cute-tasks.js';
import { editDistance } from './edit-distance.js';
import { numberedLines } from './numbered-lines.js';

/** Only the most frequent words are read, which files list first. */
const MOST_WORDS = 5000;
const SHORTEST_WORD = 3;
const [ALIKE, UNLIKE] = [0.7, 0.3];
const [NEAR, FAR] = [0.5, 0.2];
const TRIES = 50;

export interface WordVector {
  readonly word: string;
  /** Of length 1. */
  readonly vector: Float32Array;
}

/** @throws UsageError for a line without a word and numbers, or of another length, naming it */
export async function readVectors(path: string): Promise<readonly WordVector[]> {
  const found: WordVector[] = [];
  for await (const { number, line } of numberedLines(path)) {
    const [word, ...numbers] = line.trimEnd().split(' ');
    // The first line may hold the counts of words and dimensions.
    if (number === 1 && numbers.length === 1) continue;
    const vector = Float32Array.from(numbers, Number);
    const expected = found[0]?.vector.length ?? vector.length;
    if (vector.length < 2 || vector.length !== expected || vector.some(Number.isNaN))
      throw new UsageError(`Line ${number} of ${path} is not a word with ${expected} numbers.`, {
        hint: 'Give word vectors as text, one word per line (fastText’s .vec).',
      });
    const norm = Math.hypot(...vector);
    if (norm > 0 && /^[a-z]+$/.test(word!) && word!.length >= SHORTEST_WORD)
      found.push({ word: word!, vector: vector.map((value) => value / norm) });
    if (found.length >= MOST_WORDS) break;
  }
  if (found.length > 1) return found;
  throw new UsageError(`${path} has no words that can be compared.`, {
    hint: `Give vectors of words in small Latin letters, of at least ${SHORTEST_WORD}.`,
  });
}

/** 1 - distance / length of both, where a substitution counts twice, as Levenshtein ratios are defined. */
export const levenshteinRatio = (a: string, b: string): number =>
  1 - editDistance([...a], [...b], 2) / (a.length + b.length);

const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** A word with one that looks like it and one that means the like; null if none was found for the words drawn. */
export function neighbourProblem(
  vectors: readonly WordVector[],
  wanted: 'orth' | 'sem',
  random: Random,
): CuteProblem | null {
  for (let tries = 0; tries < TRIES; tries++) {
    const { word, vector } = random.one(vectors);
    const others = vectors.filter((other) => other.word !== word);
    const looks = others.filter(
      (other) => levenshteinRatio(word, other.word) > ALIKE && cosine(vector, other.vector) < FAR,
    );
    const means = others.filter(
      (other) => levenshteinRatio(word, other.word) < UNLIKE && cosine(vector, other.vector) > NEAR,
    );
    if (looks.length === 0 || means.length === 0) continue;
    const [look, mean] = [random.one(looks).word, random.one(means).word];
    const pair = random.one([
      [look, mean],
      [mean, look],
    ]);
    return { inputs: [word, ...pair], label: wanted === 'orth' ? look : mean };
  }
  return null;
}
