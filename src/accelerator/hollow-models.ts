/** @module Folders of models whose weights are never read: headers of the right shapes over files without blocks on the disk. */
import { closeSync, copyFileSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BltConfig, bltTensors, configText, type TensorSpec, toTransformersConfig } from '../blt/index.js';
import { type LlamaConfig, llamaTensors } from '../llama/index.js';
import { tokenEndHead } from '../model/index.js';
import { writeAlignment } from '../patching/index.js';
import type { Recipe } from '../recipe/index.js';
import { elementCount } from '../safetensors/index.js';

const TINY_LLAMA = fileURLToPath(new URL('../../assets/tiny-llama/', import.meta.url));
const HEADER_SIZE_BYTES = 8;

/** model.safetensors with a header and nothing but a hole behind it, in bfloat16. */
function writeHollow(folder: string, tensors: readonly Pick<TensorSpec, 'name' | 'shape'>[]): void {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const { name, shape } of tensors) {
    const bytes = 2 * elementCount(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  try {
    const size = Buffer.alloc(HEADER_SIZE_BYTES);
    size.writeBigUInt64LE(BigInt(json.length));
    writeSync(file, Buffer.concat([size, json]));
    ftruncateSync(file, HEADER_SIZE_BYTES + json.length + at);
  } finally {
    closeSync(file);
  }
}

/** The embedded model's tokenizer with tokens that no text has, up to the size of another vocabulary. */
function paddedTokenizer(vocabSize: number): unknown {
  const tokenizer = JSON.parse(readFileSync(join(TINY_LLAMA, 'tokenizer.json'), 'utf8'));
  for (let id = Object.keys(tokenizer.model.vocab).length; id < vocabSize; id++)
    tokenizer.model.vocab[`qx${id.toString(36)}xq`] = id;
  return tokenizer;
}

/** config.json of a Llama, without what only its values depend on. */
const configJsonOf = (config: LlamaConfig) => ({
  model_type: 'llama',
  hidden_act: 'silu',
  hidden_size: config.hiddenSize,
  num_hidden_layers: config.layers,
  num_attention_heads: config.heads,
  num_key_value_heads: config.kvHeads,
  intermediate_size: config.intermediateSize,
  rms_norm_eps: config.rmsNormEps,
  rope_theta: config.rope.theta,
  max_position_embeddings: config.maxPositions,
  vocab_size: config.vocabSize,
  tie_word_embeddings: config.tiedEmbeddings,
  bos_token_id: 0,
  eos_token_id: 1,
  torch_dtype: 'bfloat16',
});

/** A Llama of the given sizes. */
export async function writeHollowSource(folder: string, config: LlamaConfig): Promise<void> {
  await mkdir(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configJsonOf(config)));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(paddedTokenizer(config.vocabSize)));
  copyFileSync(join(TINY_LLAMA, 'tokenizer_config.json'), join(folder, 'tokenizer_config.json'));
  writeHollow(folder, llamaTensors(config));
}

/** A BLT as a conversion has it before the patcher is trained, or with the recipe's patcher. */
export async function writeHollowBlt(
  folder: string,
  config: BltConfig,
  { patcher }: Pick<Recipe, 'patcher'>,
  { hasPatcher }: { readonly hasPatcher: boolean },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), configText(toTransformersConfig(config, 'bfloat16')));
  const isAligned = hasPatcher && patcher.kind === 'aligned';
  writeHollow(folder, [...bltTensors(config), ...(isAligned ? [tokenEndHead(config)] : [])]);
  if (!isAligned) return;
  const { labels, end_confidence: endConfidence } = patcher;
  await writeAlignment(folder, { labels, endConfidence, tokenizerDigest: '', trainingThreshold: 1 });
}
