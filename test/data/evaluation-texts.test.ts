import { describe, expect, it } from 'vitest';
import { evaluationTexts } from '../../src/data/evaluation-texts.js';
import { splitOf } from '../support/split.js';

const text = new TextEncoder();

describe('held-out texts', () => {
  it('consist of whole characters and stay within the budget', async () => {
    const pieces = ['naïve café ', '東京タワー', 'plain'].map((piece) => text.encode(piece));
    for (let maxBytes = 1; maxBytes < 40; maxBytes++) {
      const texts = await evaluationTexts(splitOf(pieces), { maxBytes, textBytes: 7 });
      expect(texts.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(maxBytes);
      for (const piece of texts) expect(() => new TextDecoder('utf-8', { fatal: true }).decode(piece)).not.toThrow();
    }
  });
});
