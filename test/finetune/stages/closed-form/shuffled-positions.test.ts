import { describe, expect, it } from 'vitest';
import { shuffledPositions } from '../../../../src/finetune/stages/closed-form/shuffled-positions.js';

const COUNT = 50;

/** Passes over all positions, in order. */
function passesOf(passes: number, seed: number, count = COUNT): number[][] {
  const positions = shuffledPositions(count, seed);
  return Array.from({ length: passes }, () => Array.from({ length: count }, () => positions.next().value));
}

describe('shuffledPositions', () => {
  it('gives every position once in each pass', () => {
    const ascending = Array.from({ length: COUNT }, (_, i) => i);
    for (const pass of passesOf(4, 1)) expect([...pass].sort((a, b) => a - b)).toEqual(ascending);
  });

  it('gives each pass an order of its own', () => {
    const orders = passesOf(4, 1).map((pass) => pass.join());
    expect(new Set([...orders, Array.from({ length: COUNT }, (_, i) => i).join()]).size).toBe(5);
  });

  it('repeats with the same seed and differs with another', () => {
    expect(passesOf(3, 7)).toEqual(passesOf(3, 7));
    expect(passesOf(1, 7)).not.toEqual(passesOf(1, 8));
  });

  it('puts each position at each place equally often', () => {
    const passes = passesOf(6000, 2, 3);
    for (let place = 0; place < 3; place++)
      for (let position = 0; position < 3; position++) {
        const times = passes.filter((pass) => pass[place] === position).length;
        expect(Math.abs(times / passes.length - 1 / 3)).toBeLessThan(0.03);
      }
  });

  it('repeats a single position', () => {
    expect(passesOf(3, 1, 1)).toEqual([[0], [0], [0]]);
  });
});
