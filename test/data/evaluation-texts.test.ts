import { describe, expect, it } from 'vitest';
import { evaluationTexts } from '../../src/data/evaluation-texts.js';
import { splitOf } from '../support/split.js';

const text = new TextEncoder();

describe('held-out texts', () => {
  it('consist of whole characters and stay within the budget', async () => {
    const chunks = ['naïve café ', '東京タワー', 'plain'].map((chunk) => text.encode(chunk));
    for (let maxBytes = 1; maxBytes < 40; maxBytes++) {
      const texts = await evaluationTexts(splitOf(chunks), { maxBytes, textBytes: 7 });
      expect(texts.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(maxBytes);
      for (const chunk of texts) expect(() => new TextDecoder('utf-8', { fatal: true }).decode(chunk)).not.toThrow();
    }
  });
});
