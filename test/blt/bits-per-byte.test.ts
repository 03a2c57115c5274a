import { describe, expect, it } from 'vitest';
import { bitsPerByte } from '../../src/blt/index.js';

describe('bits per byte', () => {
  it('are 8 where every one of 256 bytes is as likely', () => {
    expect(bitsPerByte(10 * Math.log(256), 10)).toBeCloseTo(8, 12);
  });

  it('halve where the same nats are of twice the bytes', () => {
    expect(bitsPerByte(3, 2)).toBe(2 * bitsPerByte(3, 4));
  });
});
