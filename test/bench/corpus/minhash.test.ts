import { describe, expect, it } from 'vitest';
import { shingles, signatureOf, similarity } from '../../../bench/corpus/minhash.mjs';

const words = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(' ');
const signature = (text: string) => signatureOf(shingles(text));

describe('shingles', () => {
  it('ignores case, punctuation and spaces', () => {
    expect(shingles('One, two; three\nfour FIVE six.')).toEqual(shingles('one two three four five six'));
  });

  it('has one shingle for every run of five words, and one for a shorter text', () => {
    expect(shingles(words(0, 12)).length).toBe(8);
    expect(shingles('two words').length).toBe(1);
    expect(shingles('two words')).not.toEqual(shingles('other words'));
  });

  it('are the same wherever a run of words is', () => {
    expect([...shingles(words(0, 20))].slice(7, 10)).toEqual([...shingles(words(7, 14))]);
  });

  it('depends on the order of words', () => {
    expect(shingles('a b c d e')).not.toEqual(shingles('b a c d e'));
  });
});

describe('signatures', () => {
  it('are equal for equal texts and share almost nothing for different ones', () => {
    expect(similarity(signature(words(0, 500)), signature(words(0, 500)))).toBe(1);
    expect(similarity(signature(words(0, 500)), signature(words(1000, 1500)))).toBeLessThan(0.05);
  });

  it.each([0.2, 0.5, 0.8, 0.9])('estimate a similarity of %f', (jaccard) => {
    // Two texts of n shingles that share s of them have the similarity s / (2 n - s).
    const count = 2000;
    const shared = Math.round((2 * count * jaccard) / (1 + jaccard));
    const first = signature(words(0, count + 4));
    const second = signature(words(count - shared, 2 * count - shared + 4));
    // Three standard deviations of 128 draws.
    expect(Math.abs(similarity(first, second) - jaccard)).toBeLessThan(3 * Math.sqrt((jaccard * (1 - jaccard)) / 128));
  });
});
