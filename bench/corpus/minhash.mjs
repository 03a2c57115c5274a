// MinHash: a short signature per text, such that the share of equal places in two signatures estimates how many of their shingles (runs of
// consecutive words) two texts share (Broder, 1997).

import { mixed } from './mixed.mjs';

export const PERMUTATIONS = 128;
export const SHINGLE_WORDS = 5;

/** Odd factors and offsets of the hash functions: fixed, so that signatures of different runs can be compared. */
const FACTORS = Int32Array.from({ length: PERMUTATIONS }, (_, i) => mixed(2 * i + 1) | 1);
const OFFSETS = Int32Array.from({ length: PERMUTATIONS }, (_, i) => mixed(2 * i + 2));

/** FNV-1a of a word's UTF-16 units. */
function wordHash(word) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash;
}

/**
 * Hashes of a text's shingles in order, without case and punctuation. A text shorter than a shingle is one shingle.
 * @param {string} text
 * @param {number} [length] in words
 * @param {number} [base] of the rolling hash: another one gives independent hashes
 * @returns {Uint32Array}
 */
export function shingles(text, length = SHINGLE_WORDS, base = 31) {
  const words = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(wordHash);
  const run = Math.min(length, words.length);
  const found = new Uint32Array(words.length - run + 1);
  /** The factor of the word that leaves the run. */
  let leaving = 1;
  for (let i = 0; i < run; i++) leaving = Math.imul(leaving, base);
  let hash = 0;
  for (let i = 0; i < words.length; i++) {
    hash = (Math.imul(hash, base) + words[i] - (i < run ? 0 : Math.imul(leaving, words[i - run]))) | 0;
    if (i >= run - 1) found[i - run + 1] = mixed(hash);
  }
  return found;
}

/** @param {Iterable<number>} hashes of a text's shingles @returns {Uint32Array} */
export function signatureOf(hashes) {
  const signature = new Uint32Array(PERMUTATIONS).fill(0xffffffff);
  for (const hash of hashes)
    for (let i = 0; i < PERMUTATIONS; i++) {
      const value = (Math.imul(hash, FACTORS[i]) + OFFSETS[i]) >>> 0;
      if (value < signature[i]) signature[i] = value;
    }
  return signature;
}

/**
 * @param {Uint32Array} a
 * @param {Uint32Array} b
 * @returns the estimated Jaccard similarity of the two texts' shingles
 */
export function similarity(a, b) {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
