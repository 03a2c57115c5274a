import { describe, expect, it } from 'vitest';
import { allTexts, evaluationTexts, openingTexts, spreadOrder } from '../../src/data/evaluation-texts.js';
import { splitOf } from '../support/split.js';

const text = new TextEncoder();

describe('held-out texts', () => {
  it('consist of whole characters and stay within the budget', async () => {
    const chunks = ['naïve café '.repeat(200), '東京タワー'.repeat(200), 'plain'].map((chunk) => text.encode(chunk));
    for (let maxBytes = 2030; maxBytes < 2070; maxBytes++) {
      const texts = allTexts(await evaluationTexts(splitOf(chunks), { maxBytes }));
      for (const { length } of texts) expect(length).toBeLessThanOrEqual(2048);
      expect(texts.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(maxBytes);
      for (const chunk of texts) expect(() => new TextDecoder('utf-8', { fatal: true }).decode(chunk)).not.toThrow();
    }
  });
});

describe('openings of held-out texts', () => {
  const chunks = Array.from({ length: 100 }, (_, i) =>
    text.encode(`${String(i).padStart(3, '0')} né ${'long '.repeat(9)}`),
  );

  it('come from all over the split, each cut between characters, within the budget', async () => {
    const texts = allTexts(await openingTexts(splitOf(chunks), { maxBytes: 58, openingBytes: 6 }));
    const numbers = texts.map((one) => Number(new TextDecoder('utf-8', { fatal: true }).decode(one).slice(0, 3)));
    expect(texts.map(({ length }) => length)).toEqual([...Array(11).fill(5), 3]);
    for (const tenth of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(numbers.filter((number) => Math.floor(number / 10) === tenth).length).toBeGreaterThan(0);
  });

  it('are those of every chunk if the budget allows it', async () => {
    const texts = allTexts(await openingTexts(splitOf(chunks), { maxBytes: 1e6, openingBytes: 3 }));
    expect(texts.map((one) => Number(new TextDecoder().decode(one))).sort((a, b) => a - b)).toEqual(
      chunks.map((_, i) => i),
    );
  });

  it('are read in an order that has each index once', () => {
    for (const count of [0, 1, 2, 3, 7, 12, 89, 1000])
      expect([...spreadOrder(count)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });
});
