/** Small Llamas: a folder of transformers, and one of one layer as a GGUF file, field by field. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { llamaTensors, parseLlamaConfig } from '../../src/llama/index.js';
import { type TensorInfo, tensorBytes, writeSafetensorsFile } from '../../src/safetensors/index.js';
import { sampleGguf, string, typed } from '../gguf/samples.js';

/** The config of a small Llama. */
export const SMALL = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 6,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  intermediate_size: 12,
} as const;

/** A folder with that config and F32 weights, which are zero unless in `values`. */
export async function smallLlama(
  folder: string,
  change: {
    readonly config?: Readonly<Record<string, unknown>>;
    readonly tensors?: (tensors: Map<string, TensorInfo>) => void;
    readonly values?: Readonly<Record<string, number>>;
  } = {},
): Promise<string> {
  const config = { ...SMALL, ...change.config };
  const tensors = new Map<string, TensorInfo>(
    llamaTensors(parseLlamaConfig(config, 'c')).map(({ name, shape }) => [name, { name, shape, dtype: 'F32' }]),
  );
  change.tensors?.(tensors);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensorsFile(join(folder, 'model.safetensors'), [...tensors.values()], (info) => {
    const bytes = new Uint8Array(tensorBytes(info));
    const value = change.values?.[info.name];
    if (value !== undefined) new Float32Array(bytes.buffer).fill(value);
    return bytes;
  });
  return folder;
}

export const SAMPLE = { hiddenSize: 128, headDim: 64, layers: 1 } as const;

const F32 = 4;
const KV_WIDTH = 64;
const INTERMEDIATE = 32;
const VOCAB = 5;

const uint = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return typed(4, bytes);
};
export const float = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return typed(6, bytes);
};
export { string, uint };

/** The divisors that llama.cpp's converter writes for llama3 scaling: f / f' by the rule of blt-format 4.3. */
export function ropeFreqs({ factor = 8, original = 8192, low = 1, high = 4, theta = 500_000 } = {}): number[] {
  return Array.from({ length: SAMPLE.headDim / 2 }, (_, j) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * j) / SAMPLE.headDim);
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/** @param more tensors by name, each a vector; their values are written; those of the others are meaningless. */
export function sampleLlamaGguf(
  options: {
    keyValues?: Readonly<Record<string, Uint8Array>>;
    more?: Readonly<Record<string, readonly number[]>>;
  } = {},
): Buffer {
  const { hiddenSize: width } = SAMPLE;
  const shapes: Record<string, readonly number[]> = {
    'token_embd.weight': [width, VOCAB],
    'output_norm.weight': [width],
    'blk.0.attn_q.weight': [width, width],
    'blk.0.attn_k.weight': [width, KV_WIDTH],
    'blk.0.attn_v.weight': [width, KV_WIDTH],
    'blk.0.attn_output.weight': [width, width],
    'blk.0.ffn_gate.weight': [width, INTERMEDIATE],
    'blk.0.ffn_up.weight': [width, INTERMEDIATE],
    'blk.0.ffn_down.weight': [INTERMEDIATE, width],
    'blk.0.attn_norm.weight': [width],
    'blk.0.ffn_norm.weight': [width],
  };
  const more = Object.entries(options.more ?? {});
  const all = [...Object.entries(shapes), ...more.map(([name, { length }]) => [name, [length]] as const)];
  let offset = 0;
  const placed = all.map(([name, dims]) => {
    const tensor = { name, dims, offset };
    offset += Math.ceil((dims.reduce((a, b) => a * b) * F32) / 32) * 32;
    return tensor;
  });
  const keyValues = {
    'general.architecture': string('llama'),
    'llama.block_count': uint(SAMPLE.layers),
    'llama.embedding_length': uint(width),
    'llama.feed_forward_length': uint(INTERMEDIATE),
    'llama.attention.head_count': uint(width / SAMPLE.headDim),
    'llama.attention.head_count_kv': uint(KV_WIDTH / SAMPLE.headDim),
    'llama.attention.layer_norm_rms_epsilon': float(1e-5),
    'llama.rope.freq_base': float(500_000),
    ...options.keyValues,
  };
  const file = sampleGguf({ keyValues: Object.entries(keyValues), tensors: placed, dataBytes: offset });
  for (const [name, values] of more) {
    const at = file.length - offset + placed.find((tensor) => tensor.name === name)!.offset;
    values.forEach((value, i) => {
      file.writeFloatLE(value, at + i * F32);
    });
  }
  return file;
}
