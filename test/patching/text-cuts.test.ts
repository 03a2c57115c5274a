import { describe, expect, it } from 'vitest';
import { type Alignment, CUT_AT_END, CUT_LATE, isLateCut, NO_CUT, textCuts } from '../../src/patching/index.js';

const hybrid: Alignment = { labels: 'hybrid', endConfidence: 0.9 };
const end: Alignment = { labels: 'end', endConfidence: 0.9 };
const start: Alignment = { labels: 'start', endConfidence: 0.9 };

describe('cuts', () => {
  it('are late if the end of the token was not certain', () => {
    expect([isLateCut(null, 0), isLateCut(end, 0), isLateCut(start, 1)]).toEqual([false, false, true]);
    expect([isLateCut(hybrid, 0.9), isLateCut(hybrid, 0.91)]).toEqual([true, false]);
  });

  it('come after the byte at whose position the entropy exceeds the threshold', () => {
    const entropies = Float32Array.from([9, 1, 3, 1, 3]); // BOS and four bytes
    const endProbabilities = Float32Array.from([0, 0, 0.95, 0.95, 0.5]);
    expect([...textCuts({ entropies, endProbabilities }, 2, hybrid)]).toEqual([NO_CUT, CUT_AT_END, NO_CUT, CUT_LATE]);
    expect([...textCuts({ entropies, endProbabilities: null }, 2, null)]).toEqual([0, CUT_AT_END, 0, CUT_AT_END]);
  });
});
