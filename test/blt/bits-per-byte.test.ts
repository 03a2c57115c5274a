import { describe, expect, it } from 'vitest';
import { bitsPerByte } from '../../src/blt/index.js';

describe('bits per byte', () => {
  it('are 8 if all 256 bytes are equally likely', () => {
    expect(bitsPerByte(10 * Math.log(256), 10)).toBeCloseTo(8, 12);
  });

  it('halve if the same nats are spread over twice the bytes', () => {
    expect(bitsPerByte(3, 2)).toBe(2 * bitsPerByte(3, 4));
  });
});
