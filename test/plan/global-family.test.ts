import { describe, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes } from '../../src/blt/index.js';
import { withHeads } from '../../src/plan/global-family.js';
import { SMOLLM2 } from '../support/smollm2.js';

const { global } = bltConfigFor(SMOLLM2, deriveLocalSizes(SMOLLM2));

describe('a global transformer with another number of heads', () => {
  it('is the source’s own with its own number', () => {
    expect(withHeads(global, 9)).toEqual(global);
  });

  it('keeps the size of a head, and is wider and deeper in proportion', () => {
    expect(withHeads(global, 18)).toEqual({
      ...global,
      ...{ heads: 18, kvHeads: 6, hiddenSize: 1152, layers: 60, intermediateSize: 3072 },
    });
    expect(withHeads(global, 3)).toMatchObject({ kvHeads: 1, hiddenSize: 192, layers: 10, intermediateSize: 512 });
  });

  it('has key-value heads that divide its heads, and at least one layer', () => {
    for (let heads = 1; heads <= 70; heads++) {
      const { kvHeads, layers } = withHeads({ ...global, layers: 2 }, heads);
      expect(heads % kvHeads, `${heads} heads`).toBe(0);
      expect(layers).toBeGreaterThanOrEqual(1);
    }
    // Of 2 and 5, which divide 10, the closer to 10 / 3.
    expect(withHeads(global, 10).kvHeads).toBe(2);
    // A source in which each head has its own keys keeps that.
    expect(withHeads({ ...global, kvHeads: 9 }, 11).kvHeads).toBe(11);
  });
});
