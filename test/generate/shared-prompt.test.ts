import { describe, expect, it } from 'vitest';
import { sharedLength } from '../../src/generate/shared-prompt.js';

const ids = (count: number, ...more: number[]) => [...Array.from({ length: count }, (_, i) => i % 250), ...more];

describe('the beginning that prompts share', () => {
  it('is as long as all of them agree, and leaves at least one id of each', () => {
    expect(sharedLength([ids(100, 1), ids(100, 2, 3), ids(100, 4)])).toBe(100);
    expect(sharedLength([ids(100, 1), ids(80, 251, 252), ids(100)])).toBe(80);
    expect(sharedLength([ids(100), ids(100), ids(100, 7)])).toBe(99);
  });

  it('is not worth sharing if it is short, or there is only one prompt', () => {
    expect(sharedLength([ids(63, 1), ids(63, 2)])).toBe(0);
    expect(sharedLength([ids(64, 1), ids(64, 2)])).toBe(64);
    expect(sharedLength([ids(100)])).toBe(0);
    expect(sharedLength([])).toBe(0);
  });
});
