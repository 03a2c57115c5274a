import { describe, expect, it } from 'vitest';
import { peakOf, statedPeak } from '../../scripts/check-gpu/peaks.mjs';

describe('statedPeak', () => {
  it.each([
    ['NVIDIA H100 80GB HBM3', 989],
    ['NVIDIA H100 PCIe', 756],
    ['NVIDIA H200', 989],
    ['NVIDIA A100-SXM4-40GB', 312],
    ['NVIDIA A100-SXM4-80GB', 312],
    ['NVIDIA A100-PCIE-40GB', 312],
    ['NVIDIA A100 80GB PCIe', 312],
    ['NVIDIA L40S', 362],
    ['NVIDIA GeForce RTX 4090', 165],
  ])('%s: %i TFLOP/s', (name, tflops) => {
    expect(statedPeak(name, false)).toBe(tflops * 1e12);
  });

  it.each([
    'NVIDIA GeForce RTX 4090 D',
    'NVIDIA GeForce RTX 4090 Laptop GPU',
    'NVIDIA L40',
    'NVIDIA A100X',
    'NVIDIA H800',
    'NVIDIA B200',
    'Tesla T4',
  ])('knows no peak of %s', (name) => {
    expect(statedPeak(name, false)).toBeNull();
  });

  it('knows no peak of part of a card', () => {
    expect(statedPeak('NVIDIA H100 80GB HBM3', true)).toBeNull();
  });
});

describe('peakOf', () => {
  it('is the stated peak if there is one, else the measured rate', () => {
    expect(peakOf(989e12, 700e12)).toEqual({ flopsPerSecond: 989e12, source: 'stated' });
    expect(peakOf(null, 700e12)).toEqual({ flopsPerSecond: 700e12, source: 'measured' });
  });
});
