import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { QUANTISATIONS } from '../../src/gguf/quants.js';

/** Random blocks of every type with the floats that the Python package gguf makes of them (test/fixtures/gguf/make.py). */
const wanted = JSON.parse(readFileSync(new URL('../fixtures/gguf/quants.json', import.meta.url), 'utf8')) as Record<
  string,
  { blocks: string; values: string }
>;

describe('dequantisation', () => {
  it('is tested for every supported type', () => {
    expect(Object.keys(wanted).sort()).toEqual([...QUANTISATIONS.keys()].sort());
  });

  it.each([...QUANTISATIONS])('of %s equals the Python package gguf bit for bit', (type, quantisation) => {
    const { blockElements, blockBytes, dequantise } = quantisation;
    const stored = Buffer.from(wanted[type]!.blocks, 'base64');
    const values = Buffer.from(wanted[type]!.values, 'base64');
    expect(values.length).toBe((stored.length / blockBytes) * blockElements * 4);
    const found = new Float32Array(values.length / 4);
    for (let i = 0; i * blockBytes < stored.length; i++) dequantise(stored, i * blockBytes, found, i * blockElements);
    expect(Buffer.from(found.buffer).equals(values)).toBe(true);
  });
});
