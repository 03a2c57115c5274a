import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLlama } from '../../src/llama/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { float, ropeFreqs, SAMPLE, sampleLlamaGguf, string, uint } from './samples.js';

const folder = temporaryFolder();

async function opened(options: Parameters<typeof sampleLlamaGguf>[0]) {
  const path = join(folder(), 'sample.gguf');
  await writeFile(path, sampleLlamaGguf(options));
  const source = await openLlama(path);
  await source.close();
  return source;
}

describe('rope_freqs of a GGUF', () => {
  it.each([8, 32, 2.5])('are llama3 scaling by %f where they are what its rule gives', async (factor) => {
    const { config } = await opened({ more: { 'rope_freqs.weight': ropeFreqs({ factor }) } });
    expect(config.rope).toEqual({
      type: 'llama3',
      theta: 500_000,
      factor,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    });
  });

  it.each<[string, number[]]>([
    ['are of another context', ropeFreqs({ original: 4096 })],
    ['blend otherwise', ropeFreqs({ high: 8 })],
    ['are of another theta', ropeFreqs({ theta: 10_000 })],
    ['stretch everything alike', Array(SAMPLE.headDim / 2).fill(8)],
    ['rise by a rule of their own', Array.from({ length: SAMPLE.headDim / 2 }, (_, j) => 1 + j / 4)],
    ['are one off in one place', ropeFreqs().map((divisor, j) => (j === 20 ? divisor * 1.01 : divisor))],
    ['are no numbers', Array(SAMPLE.headDim / 2).fill(Number.NaN)],
    ['shrink', Array(SAMPLE.headDim / 2).fill(0.5)],
    ['are too few', ropeFreqs().slice(1)],
  ])('that %s are refused', async (_what, divisors) => {
    await expect(opened({ more: { 'rope_freqs.weight': divisors } })).rejects.toThrow(
      /its rope_freqs are not those of Llama 3\.1’s scaling/,
    );
  });
});

describe('a tensor of a GGUF that no Llama has', () => {
  it.each(['blk.0.attn_q_norm.weight', 'blk.0.ffn_gate_inp.weight', 'rope_factors_long.weight'])(
    'is refused by name: %s',
    async (name) => {
      await expect(opened({ more: { [name]: [1, 2] } })).rejects.toThrow(
        `holds the tensor ${name}, which no Llama has`,
      );
    },
  );

  it('and belongs to a layer that its keys do not count is refused by that', async () => {
    await expect(opened({ more: { 'blk.1.attn_norm.weight': [1, 2] } })).rejects.toThrow(
      /holds 2 layers, and its config says 1/,
    );
  });

  it('is not passed over where its name means the same as another’s', async () => {
    await expect(opened({ more: { 'model.norm.weight': [1, 2] } })).rejects.toThrow(
      /holds both "output_norm.weight" and "model.norm.weight", which are one tensor/,
    );
  });
});

describe('rope keys of a GGUF', () => {
  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'a part of each head',
      { 'llama.rope.dimension_count': uint(32) },
      /rope\.dimension_count is 32.*which is 64 wide/,
    ],
    ['an old linear scale', { 'llama.rope.scale_linear': float(4) }, /llama\.rope\.scale_linear is 4/],
    ['a factor without a type', { 'llama.rope.scaling.factor': float(2) }, /llama\.rope\.scaling\.factor is 2/],
    ['yarn', { 'llama.rope.scaling.type': string('yarn') }, /llama\.rope\.scaling\.type is "yarn"/],
  ])('with %s are refused by name', async (_what, keyValues, message) => {
    await expect(opened({ keyValues })).rejects.toThrow(message);
    await expect(opened({ keyValues, more: { 'rope_freqs.weight': ropeFreqs() } })).rejects.toThrow(message);
  });

  it.each<[string, Record<string, Uint8Array>]>([
    ['the whole of a head', { 'llama.rope.dimension_count': uint(64) }],
    ['scaling by one', { 'llama.rope.scaling.type': string('linear'), 'llama.rope.scaling.factor': float(1) }],
    [
      'no scaling, whatever the factor',
      { 'llama.rope.scaling.type': string('none'), 'llama.rope.scale_linear': float(4) },
    ],
  ])('with %s are plain rope', async (_what, keyValues) => {
    expect((await opened({ keyValues })).config.rope).toEqual({ type: 'default', theta: 500_000 });
  });
});
