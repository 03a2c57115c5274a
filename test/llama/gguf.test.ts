import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLlama } from '../../src/llama/index.js';
import { array, typed, u64 } from '../gguf/samples.js';
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

describe('the rope_freqs of a GGUF file', () => {
  it.each([8, 32, 2.5])('are llama3 scaling by %f if its rule produces them', async (factor) => {
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
    ['belong to another context length', ropeFreqs({ original: 4096 })],
    ['blend differently', ropeFreqs({ high: 8 })],
    ['belong to another theta', ropeFreqs({ theta: 10_000 })],
    ['stretch all wavelengths alike', Array(SAMPLE.headDim / 2).fill(8)],
    ['rise by another rule', Array.from({ length: SAMPLE.headDim / 2 }, (_, j) => 1 + j / 4)],
    ['differ in one value', ropeFreqs().map((divisor, j) => (j === 20 ? divisor * 1.01 : divisor))],
    ['are not numbers', Array(SAMPLE.headDim / 2).fill(Number.NaN)],
    ['shrink', Array(SAMPLE.headDim / 2).fill(0.5)],
    ['are too few', ropeFreqs().slice(1)],
  ])('are refused if they %s', async (_what, divisors) => {
    await expect(opened({ more: { 'rope_freqs.weight': divisors } })).rejects.toThrow(
      /its rope_freqs do not match Llama 3\.1’s scaling/,
    );
  });
});

describe('a GGUF tensor that no Llama has', () => {
  it.each(['blk.0.attn_q_norm.weight', 'blk.0.ffn_gate_inp.weight', 'rope_factors_long.weight'])(
    'is refused by name: %s',
    async (name) => {
      await expect(opened({ more: { [name]: [1, 2] } })).rejects.toThrow(
        `contains the tensor ${name}, which no Llama has`,
      );
    },
  );

  it('is refused because of its layer if the keys count fewer layers', async () => {
    await expect(opened({ more: { 'blk.1.attn_norm.weight': [1, 2] } })).rejects.toThrow(
      /has 2 layers, but its config says 1/,
    );
  });

  it('is not ignored if its name means the same as another’s', async () => {
    await expect(opened({ more: { 'model.norm.weight': [1, 2] } })).rejects.toThrow(
      /contains both "output_norm.weight" and "model.norm.weight", which are the same tensor/,
    );
  });
});

describe('the rope keys of a GGUF file', () => {
  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'a part of each head',
      { 'llama.rope.dimension_count': uint(32) },
      /rope\.dimension_count is 32.*which are 64 wide/,
    ],
    ['an old linear scale', { 'llama.rope.scale_linear': float(4) }, /llama\.rope\.scale_linear is 4/],
    ['a factor without a type', { 'llama.rope.scaling.factor': float(2) }, /llama\.rope\.scaling\.factor is 2/],
    ['yarn', { 'llama.rope.scaling.type': string('yarn') }, /llama\.rope\.scaling\.type is "yarn"/],
  ])('with %s are refused by name', async (_what, keyValues, message) => {
    await expect(opened({ keyValues })).rejects.toThrow(message);
    await expect(opened({ keyValues, more: { 'rope_freqs.weight': ropeFreqs() } })).rejects.toThrow(message);
  });

  it.each<[string, Record<string, Uint8Array>]>([
    ['all dimensions of a head', { 'llama.rope.dimension_count': uint(64) }],
    ['scaling by one', { 'llama.rope.scaling.type': string('linear'), 'llama.rope.scaling.factor': float(1) }],
    [
      'no scaling, whatever the factor',
      { 'llama.rope.scaling.type': string('none'), 'llama.rope.scale_linear': float(4) },
    ],
  ])('with %s are plain rope', async (_what, keyValues) => {
    expect((await opened({ keyValues })).config.rope).toEqual({ type: 'default', theta: 500_000 });
  });
});

describe('numbers in a GGUF file', () => {
  const little = (bytes: number, write: (buffer: Buffer) => void) => {
    const buffer = Buffer.alloc(bytes);
    write(buffer);
    return buffer;
  };
  it.each<[string, (value: number) => Uint8Array]>([
    ['u8', (value) => typed(0, Uint8Array.of(value))],
    [
      'u16',
      (value) =>
        typed(
          2,
          little(2, (buffer) => buffer.writeUInt16LE(value)),
        ),
    ],
    [
      'i16',
      (value) =>
        typed(
          3,
          little(2, (buffer) => buffer.writeInt16LE(value)),
        ),
    ],
    [
      'i32',
      (value) =>
        typed(
          5,
          little(4, (buffer) => buffer.writeInt32LE(value)),
        ),
    ],
    ['f32', (value) => float(value)],
    ['u64', (value) => typed(10, u64(value))],
    ['i64', (value) => typed(11, u64(value))],
    [
      'f64',
      (value) =>
        typed(
          12,
          little(8, (buffer) => buffer.writeDoubleLE(value)),
        ),
    ],
    ['a list of one for each layer', (value) => array(4, uint(value).subarray(4))],
  ])('may be stored as %s', async (_what, value) => {
    const { config } = await opened({
      keyValues: {
        'llama.block_count': value(SAMPLE.layers),
        'llama.embedding_length': value(128),
        'llama.feed_forward_length': value(32),
        'llama.attention.head_count': value(2),
        'llama.attention.head_count_kv': value(1),
        'llama.context_length': value(100),
        'llama.rope.dimension_count': value(64),
        'llama.rope.freq_base': value(100),
        'tokenizer.ggml.bos_token_id': value(3),
        'tokenizer.ggml.eos_token_id': value(4),
      },
    });
    expect(config).toMatchObject({
      layers: 1,
      hiddenSize: 128,
      intermediateSize: 32,
      heads: 2,
      kvHeads: 1,
      maxPositions: 100,
      rope: { type: 'default', theta: 100 },
      bosId: 3,
      eosIds: [4],
    });
  });

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['text', { 'llama.block_count': string('1') }, /llama\.block_count must be a number, not "1"/],
    ['a boolean', { 'llama.block_count': typed(7, Uint8Array.of(1)) }, /llama\.block_count must be a number/],
    ['beyond 2^53', { 'llama.block_count': typed(10, u64(2n ** 60n)) }, /llama\.block_count must be a number/],
    ['zero', { 'llama.block_count': uint(0) }, /num_hidden_layers must be above zero, not 0/],
    [
      'one for each layer, and differ',
      { 'llama.attention.head_count_kv': array(4, uint(1).subarray(4), uint(2).subarray(4)) },
      /head_count_kv differs from layer to layer/,
    ],
    ['of fewer heads than there are', { 'llama.attention.head_count': uint(4) }, /head_count|shape|dimension_count/],
    ['of more layers than there are', { 'llama.block_count': uint(2) }, /has 1 layer, but its config says 2/],
  ])('that are %s are refused by their key', async (_what, keyValues, message) => {
    await expect(opened({ keyValues })).rejects.toThrow(message);
  });
});

describe('a GGUF file that computes something else is refused by its key:', () => {
  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['an adapter', { 'general.type': string('adapter') }, /it is an adapter \(general\.type\)/],
    ['an importance matrix', { 'general.type': string('imatrix') }, /importance matrix/],
    ['a projector', { 'general.type': string('mmproj') }, /images or sound/],
    ['another architecture', { 'general.architecture': string('qwen2') }, /its architecture is "qwen2", not "llama"/],
    ['experts', { 'llama.expert_count': typed(10, u64(8)) }, /mixture of experts/],
    ['another scale', { 'llama.attention.scale': float(0.5) }, /llama\.attention\.scale is 0\.5/],
    ['scaled logits', { 'llama.logit_scale': float(0.25) }, /llama\.logit_scale is 0\.25/],
    ['wider values', { 'llama.attention.value_length': uint(32) }, /values are 32 wide .* but its keys 64/],
    ['bidirectional attention', { 'llama.attention.causal': typed(0, Uint8Array.of(0)) }, /is not causal/],
    ['a scaled rope', { 'llama.rope.scaling.attn_factor': float(1.2) }, /attn_factor is 1\.2/],
  ])('%s', async (_what, keyValues, message) => {
    await expect(opened({ keyValues })).rejects.toThrow(message);
  });

  it('but not for the usual values', async () => {
    const { config } = await opened({
      keyValues: {
        'general.type': string('model'),
        'llama.attention.scale': float(64 ** -0.5),
        'llama.attention.value_length': uint(64),
        'llama.attention.causal': typed(7, Uint8Array.of(1)),
        'llama.expert_count': uint(0),
        'llama.rope.scaling.attn_factor': float(1),
      },
    });
    expect(config.layers).toBe(1);
  });
});
