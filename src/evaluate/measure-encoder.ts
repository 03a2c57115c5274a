/** @module Measures a stage's encoder on the held source, and keeps what it found beside the stage's checkpoint. */
import { join } from 'node:path';
import { type BltConfig, bltTensors } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { readMetrics, writeFileAtomic } from '../fs/index.js';
import type { LlamaSource } from '../llama/index.js';
import { createPatcherRunner, loadSourceTensors, loadVariable, TOKEN_END_HEAD } from '../model/index.js';
import type { Alignment, SourceReader } from '../patching/index.js';
import { openCheckpoint, overlay } from '../safetensors/index.js';
import { encoderFidelity } from './encoder-fidelity.js';

const FILE = 'encoder.json';
const USED = ['encoder', 'hash', 'global', 'patcher'];

/** The source, as far as an encoder is measured with it. */
export interface EncoderSource {
  readonly llama: LlamaSource;
  readonly reader: SourceReader;
  readonly alignment: Alignment | null;
  /** Mean over the channels of the variance of its embeddings. */
  readonly variance: number;
}

export interface EncoderQuestion {
  readonly config: BltConfig;
  /** Checkpoint folders, the first wins. */
  readonly folders: readonly string[];
  /** The stage's folder. */
  readonly run: string;
  readonly source: EncoderSource;
  readonly texts: readonly Uint8Array[];
}

/** Metrics of an encoder; those of a stage that was measured are read. */
export async function measureEncoder(question: EncoderQuestion): Promise<Readonly<Record<string, number>>> {
  const path = join(question.run, FILE);
  const known = await readMetrics(path, `Remove ${path}: it is measured again.`);
  if (known !== null) return known;
  const metrics = await measured(question);
  await writeFileAtomic(path, `${JSON.stringify(metrics, null, 2)}\n`);
  return metrics;
}

async function measured({ config, folders, source, texts }: EncoderQuestion): Promise<Record<string, number>> {
  const reader = overlay(await Promise.all(folders.map(openCheckpoint)));
  const { llama, reader: sourceReader, alignment, variance } = source;
  const held = await loadSourceTensors(llama, sourceReader.vocabulary.order, ['embedding', 'head']);
  try {
    const own = bltTensors(config).flatMap(({ name, part }) => (USED.includes(part) ? [name] : []));
    for (const name of reader.tensors.has(TOKEN_END_HEAD) ? [...own, TOKEN_END_HEAD] : own)
      held.set(name, await loadVariable(reader, name));
    const params = new Map([...held].map(([name, variable]) => [name, variable.read()]));
    const patcher = createPatcherRunner(config, held, 'eager');
    const found = await encoderFidelity({ config, params, reader: sourceReader, alignment, patcher, variance, texts });
    tf.dispose([...params.values()]);
    return {
      encoder_relative_error: found.relativeError,
      source_in_patches_bits_per_byte: found.sourceBitsPerByte,
      encoder_bits_per_byte: found.bitsPerByte,
    };
  } finally {
    for (const variable of held.values()) variable.dispose();
    await reader.close();
  }
}
