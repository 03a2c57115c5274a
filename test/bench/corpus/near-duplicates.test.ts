import { describe, expect, it } from 'vitest';
import { shingles, signatureOf } from '../../../bench/corpus/minhash.mjs';
import { NearDuplicates } from '../../../bench/corpus/near-duplicates.mjs';

/** Text of random words from a generator with a fixed seed. */
function randomText(seed: number, length = 400): string[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return `w${state % 5000}`;
  });
}

/** The text with some of its words replaced, one in every `interval`. */
const edited = (words: string[], interval: number) =>
  words.map((word, i) => (i % interval === interval - 1 ? `edited${i}` : word));

const signature = (words: string[]) => signatureOf(shingles(words.join(' ')));

describe('NearDuplicates', () => {
  it('finds almost all near duplicates and takes no other text for one', () => {
    const index = new NearDuplicates<number>();
    const texts = Array.from({ length: 300 }, (_, i) => randomText(i + 1));
    // Precision: texts of the same vocabulary, and texts of which a tenth of the words differ (a similarity of about 0.33).
    expect(texts.map((text, i) => index.add(signature(text), i))).toEqual(texts.map(() => null));
    const different = texts.filter((text) => index.add(signature(edited(text, 10)), -1) !== null);
    expect(different.length).toBe(0);
    // Recall: one word in 100 differs (a similarity of about 0.9).
    const found = texts.filter((text, i) => index.add(signature(edited(text, 100)), -1) === i);
    expect(found.length / texts.length).toBeGreaterThan(0.97);
  });

  it('keeps the text that came first and names its owner', () => {
    const index = new NearDuplicates<string>();
    expect(index.add(signature(randomText(1)), 'held-out')).toBeNull();
    expect(index.add(signature(randomText(1)), 'train')).toBe('held-out');
    expect(index.add(signature(randomText(1)), 'train')).toBe('held-out');
  });
});
