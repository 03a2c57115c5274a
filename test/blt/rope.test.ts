import { expect, it } from 'vitest';
import { inverseFrequencies } from '../../src/blt/index.js';

it('rotary frequencies fall from 1 by powers of theta', () => {
  expect([...inverseFrequencies({ type: 'default', theta: 10_000 }, 8)]).toEqual(
    [1, 0.1, 0.01, 0.001].map((x) => expect.closeTo(x, 12)),
  );
});

it('llama3 scaling keeps short wavelengths, stretches long ones by the factor, and blends between', () => {
  const rope = {
    type: 'llama3',
    theta: 500_000,
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  } as const;
  const plain = inverseFrequencies({ type: 'default', theta: 500_000 }, 128);
  const ratios = inverseFrequencies(rope, 128).map((frequency, j) => plain[j]! / frequency);
  plain.forEach((frequency, j) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < 2048) expect(ratios[j]).toBe(1);
    else if (wavelength > 8192) expect(ratios[j]).toBeCloseTo(8, 10);
    else expect(ratios[j]! > 1 && ratios[j]! < 8).toBe(true);
  });
  expect(ratios.some((ratio) => ratio > 1.001 && ratio < 7.999)).toBe(true);
});
