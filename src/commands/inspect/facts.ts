/** @module The main facts of a config. */

import type { BltConfig, RopeConfig } from '../../blt/index.js';
import type { GgufFile } from '../../gguf/index.js';
import type { LlamaConfig } from '../../llama/index.js';
import { counted } from '../../ui/index.js';
import type { Inspection } from './inspection.js';

type Facts = Inspection['config'];

/** The facts of a Llama's config. */
export function llamaFacts(config: LlamaConfig): Facts {
  return {
    model_type: config.modelType,
    layers: config.layers,
    hidden_size: config.hiddenSize,
    heads: config.heads,
    kv_heads: config.kvHeads,
    intermediate_size: config.intermediateSize,
    vocab_size: config.vocabSize,
    max_positions: config.maxPositions,
    rope: rope(config.rope),
    tied_embeddings: config.tiedEmbeddings,
  };
}

/** The facts of a BLT's config, one line per part. */
export function bltFacts(config: BltConfig): Facts {
  const { encoder, decoder, global, patcher, hash, patching } = config;
  const shape = (part: BltConfig['encoder']) =>
    `${part.layers} x ${part.hiddenSize}, ${counted(part.heads, 'head')}, FFN ${part.intermediateSize}`;
  return {
    model_type: 'blt',
    encoder: shape(encoder),
    global: `${shape(global)}, ${counted(global.kvHeads, 'kv head')}, RoPE ${rope(global.rope)}`,
    decoder: shape(decoder),
    patcher: shape(patcher),
    cross_attn_k: config.crossAttnK,
    window_bytes: encoder.window,
    hash_tables: `${hash.functions * hash.sizes.length} x ${hash.vocab} rows (n = ${hash.sizes.join(', ')})`,
    patching_threshold_nats: patching.threshold,
    max_patch_bytes: patching.maxPatchLength,
  };
}

/** The scalar keys of a GGUF file; arrays such as the vocabulary are left out. */
export function ggufFacts(keyValues: GgufFile['keyValues']): Facts {
  const scalars = [...keyValues].filter(([, value]) => !Array.isArray(value));
  return Object.fromEntries(
    scalars.map(([key, value]) => [
      key,
      typeof value === 'bigint' ? Number(value) : (value as string | number | boolean),
    ]),
  );
}

function rope(config: RopeConfig): string {
  return config.type === 'default' ? `theta ${config.theta}` : `theta ${config.theta}, llama3 x ${config.factor}`;
}
