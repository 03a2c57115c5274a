/** @module Exports a BLT checkpoint as a folder that `transformers.BltForCausalLM` loads. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BltConfig,
  BOE,
  BOS,
  bltTensors,
  configText,
  EOS,
  readBltConfig,
  textPositions,
  toTransformersConfig,
} from '../blt/index.js';
import { claimOutput, markOutput } from '../conversion/index.js';
import { writeFolderAtomic } from '../fs/index.js';
import { type CardInputs, type CardModel, modelCard } from '../release/index.js';
import {
  elementCount,
  openCheckpoint,
  overlay,
  type TensorReader,
  tensorBytes,
  tensorChunks,
  writeCheckpoint,
} from '../safetensors/index.js';
import { byteTokenizerFiles } from '../tokenizer/index.js';
import { checkTensors } from './check-tensors.js';

export interface ExportReport {
  readonly folder: string;
  readonly dtype: 'float32' | 'bfloat16';
  /** Weight files, without the index. */
  readonly weightFiles: readonly string[];
  readonly weightBytes: number;
  readonly tensors: number;
  readonly parameters: number;
}

export interface ExportProgress {
  readonly tensor: string;
  readonly doneBytes: number;
  /** Bytes of all weights, as stored in the checkpoint. */
  readonly totalBytes: number;
}

const STORED_AS = { float32: 'F32', bfloat16: 'BF16' } as const;

/**
 * Writes config.json, generation_config.json, the weights in shards with their index, the byte tokenizer and a model card
 * (blt-format 3.1 to 3.3). Tensors are converted in bounded parts, so memory use does not grow with the model. `out` is written atomically.
 * @param params.from a BLT checkpoint folder with tensors in any mix of F64, F32, F16 and BF16; or several, each tensor from the first that has it.
 * @param params.dtype of all written tensors, including the patcher's.
 * @param params.maxShardBytes largest size of a weight file, 5e9 by default.
 * @param params.metadata additional texts by file name: licence, recipe, provenance.
 * @param params.ownsOut whether `out` belongs to the caller, such as a stage's folder; its contents are then replaced whatever they are.
 * @throws ByteifyError if the config is not that of a BLT or the tensors do not match it; UsageError if writing `out` would destroy other files.
 * @example await exportTransformers({ from: 'run/checkpoint-500', out: 'blt', dtype: 'bfloat16', card })
 */
export async function exportTransformers(params: {
  from: string | readonly [string, ...string[]];
  out: string;
  dtype: 'float32' | 'bfloat16';
  card: CardInputs;
  metadata?: ReadonlyMap<string, string>;
  maxShardBytes?: number | undefined;
  ownsOut?: boolean;
  onProgress?: (event: ExportProgress) => void;
  signal?: AbortSignal | undefined;
}): Promise<ExportReport> {
  const { out, dtype, card, ownsOut = false } = params;
  const folders = typeof params.from === 'string' ? ([params.from] as const) : params.from;
  const [from] = folders;
  const target = ownsOut ? out : await claimOutput(out, { kind: 'export', source: from });
  const config = await readBltConfig(from);
  const reader = await openTensors(folders);
  try {
    const stored = checkTensors(bltTensors(config), reader.tensors, from);
    const parameters = stored.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    return await writeFolderAtomic(target, async (folder) => {
      const written = await writeCheckpoint(
        folder,
        stored.map((tensor) => ({ ...tensor, dtype: STORED_AS[dtype] })),
        tensorSource(reader, params),
        params.maxShardBytes === undefined ? {} : { maxShardBytes: params.maxShardBytes },
      );
      for (const [name, contents] of Object.entries(textFiles(config, dtype)))
        await writeFile(join(folder, name), contents);
      await writeFile(join(folder, 'README.md'), modelCard(card, describe(config, parameters, dtype)));
      for (const [name, text] of params.metadata ?? []) await writeFile(join(folder, name), text);
      if (!ownsOut) await markOutput(folder, 'export');
      return {
        folder: out,
        dtype,
        weightFiles: written.files.filter((file) => file.endsWith('.safetensors')),
        weightBytes: written.totalBytes,
        tensors: stored.length,
        parameters,
      };
    });
  } finally {
    await reader.close();
  }
}

/** A folder among several may have more tensors than the model, as an aligned patcher's has. */
async function openTensors(folders: readonly string[]): Promise<TensorReader> {
  if (folders.length === 1) return openCheckpoint(folders[0]!);
  const reader = overlay(await Promise.all(folders.map(openCheckpoint)));
  const names = new Set(bltTensors(await readBltConfig(folders[0]!)).map(({ name }) => name));
  return { ...reader, tensors: new Map([...reader.tensors].filter(([name]) => names.has(name))) };
}

function tensorSource(
  reader: TensorReader,
  params: Parameters<typeof exportTransformers>[0],
): Parameters<typeof writeCheckpoint>[2] {
  const totalBytes = [...reader.tensors.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  let doneBytes = 0;
  return async function* ({ name }) {
    // checkTensors made sure that every requested tensor exists.
    const tensor = reader.tensors.get(name)!;
    yield* tensorChunks(reader, tensor, { dtype: STORED_AS[params.dtype], signal: params.signal });
    doneBytes += tensorBytes(tensor);
    params.onProgress?.({ tensor: name, doneBytes, totalBytes });
  };
}

function textFiles(config: BltConfig, dtype: 'float32' | 'bfloat16'): Record<string, string> {
  const { tokenizerJson, tokenizerConfig, specialTokensMap } = byteTokenizerFiles();
  return {
    'config.json': configText(toTransformersConfig(config, dtype)),
    // The model's own ids, so that generate() stops at EOS, and use_cache as in config.json (blt-format 3.2).
    'generation_config.json': json({ bos_token_id: BOS, eos_token_id: EOS, pad_token_id: BOE, use_cache: false }),
    'tokenizer.json': json(tokenizerJson),
    'tokenizer_config.json': json(tokenizerConfig),
    'special_tokens_map.json': json(specialTokensMap),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function describe(config: BltConfig, parameters: number, dtype: 'float32' | 'bfloat16'): CardModel {
  return {
    parameters,
    dtype,
    globalLayers: config.global.layers,
    globalHiddenSize: config.global.hiddenSize,
    encoderLayers: config.encoder.layers,
    decoderLayers: config.decoder.layers,
    localHiddenSize: config.encoder.hiddenSize,
    patchingThreshold: config.patching.threshold,
    maxBytes: textPositions(config),
  };
}
