/** @module Measures the encoder and the decoder of a stage with the frozen source, and writes the result beside the stage's checkpoint. */
import { join } from 'node:path';
import { type BltConfig, bltTensors } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { readMetrics, writeFileAtomic } from '../fs/index.js';
import type { LlamaSource } from '../llama/index.js';
import { createPatcherRunner, loadSourceTensors, loadVariable, TOKEN_END_HEAD } from '../model/index.js';
import type { Alignment, SourceReader } from '../patching/index.js';
import { openCheckpoint, overlay } from '../safetensors/index.js';
import { partLosses } from './part-losses.js';

const FILE = 'parts.json';

/** What the measurement needs of the source. */
export interface SourceOfParts {
  readonly llama: LlamaSource;
  readonly reader: SourceReader;
  readonly alignment: Alignment | null;
  /** Mean over the channels of the variance of its embeddings. */
  readonly variance: number;
}

export interface MeasurePartsOptions {
  readonly config: BltConfig;
  /** Checkpoint folders; a tensor is read from the first that contains it. */
  readonly folders: readonly string[];
  /** The folders of the remapped model, whose latent global transformer has the source's layers, whatever the stages before trained. */
  readonly remapped: readonly string[];
  /** The stage's folder, where the result is written. */
  readonly run: string;
  readonly source: SourceOfParts;
  readonly texts: readonly Uint8Array[];
}

/** The metrics of a stage's encoder and decoder, read from the stage's folder if they were measured before. The engine must be started. */
export async function measureParts(options: MeasurePartsOptions): Promise<Readonly<Record<string, number>>> {
  const path = join(options.run, FILE);
  const known = await readMetrics(path, `Delete ${path}, and the encoder and the decoder will be measured again.`);
  if (known !== null) return known;
  const metrics = await measure(options);
  await writeFileAtomic(path, `${JSON.stringify(metrics, null, 2)}\n`);
  return metrics;
}

async function measure(options: MeasurePartsOptions): Promise<Record<string, number>> {
  const { config, source, texts } = options;
  const reader = overlay(await Promise.all(options.folders.map(openCheckpoint)));
  const remapped = overlay(await Promise.all(options.remapped.map(openCheckpoint)));
  const { llama, reader: sourceReader, alignment, variance } = source;
  const weights = await loadSourceTensors(llama, sourceReader.vocabulary.order, ['embedding', 'head']);
  try {
    for (const { name, part } of bltTensors(config))
      weights.set(name, await loadVariable(part === 'global' ? remapped : reader, name));
    if (reader.tensors.has(TOKEN_END_HEAD)) weights.set(TOKEN_END_HEAD, await loadVariable(reader, TOKEN_END_HEAD));
    const params = new Map([...weights].map(([name, variable]) => [name, variable.read()]));
    const patcher = createPatcherRunner(config, weights, 'eager');
    const found = await partLosses({ config, params, reader: sourceReader, alignment, patcher, variance, texts });
    tf.dispose([...params.values()]);
    return {
      encoder_relative_error: found.relativeError,
      source_in_patches_bits_per_byte: found.sourceBitsPerByte,
      encoder_bits_per_byte: found.encoderBitsPerByte,
      decoder_bits_per_byte: found.decoderBitsPerByte,
    };
  } finally {
    for (const variable of weights.values()) variable.dispose();
    await reader.close();
    await remapped.close();
  }
}
