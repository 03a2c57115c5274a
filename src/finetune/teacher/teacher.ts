/** @module The source as a teacher: its tokenizer and vocabulary, its tensors, and the alignment of the patcher with its tokens. */

import type { BltConfig } from '../../blt/index.js';
import { tf, type Variable } from '../../engine/index.js';
import { type LlamaSource, openLlama } from '../../llama/index.js';
import { loadSourceLayers, loadSourceTensors, type SourceTensors, sourceEmbedding } from '../../model/index.js';
import { type Alignment, openSourceReader, readAlignment, type SourceReader } from '../../patching/index.js';
import { openCheckpoint, overlay } from '../../safetensors/index.js';
import type { TrainingSource } from '../loop/train-options.js';

/** What a stage wants of the source: some of its tensors, and whether its layers have to be loaded (`loadsSourceLayers`). */
export interface WantedOfSource {
  readonly tensors: SourceTensors;
  readonly layers: boolean;
}

export interface Teacher {
  readonly llama: LlamaSource;
  readonly reader: SourceReader;
  readonly alignment: Alignment | null;
  /** The variance of its embeddings, averaged over channels. Embedding losses are relative to it. */
  readonly variance: number;
  /** What a training loop needs of the source. Each call loads the tensors again; the loop disposes them. */
  trainingSource(wanted: WantedOfSource): Promise<TrainingSource>;
  close(): Promise<void>;
}

/**
 * Opens a source. The engine must be started.
 * @param folder the source.
 * @param from the folder of the patcher that cuts the text, then the remapped model's, whose latent global transformer has the source's layers.
 */
export async function openTeacher(folder: string, from: readonly string[], config: BltConfig): Promise<Teacher> {
  const llama = await openLlama(folder);
  const ids = { vocabSize: llama.config.vocabSize, bosId: llama.config.bosId, eosIds: llama.config.eosIds };
  const reader = await openSourceReader(llama.folder, ids);
  const alignment = await readAlignment(from[0]!);
  const embedding = await loadSourceTensors(llama, reader.vocabulary.order, ['embedding']);
  const variance = tf.tidy(() => {
    const table = sourceEmbedding(new Map([...embedding].map(([name, variable]) => [name, variable.read()])));
    return tf.mean(tf.moments(table, 0).variance).dataSync()[0]!;
  });
  for (const variable of embedding.values()) variable.dispose();
  return {
    llama,
    reader,
    alignment,
    variance,
    trainingSource: async (wanted) => {
      const tensors = await loadSourceTensors(llama, reader.vocabulary.order, wanted.tensors);
      const layers = wanted.layers ? await remappedLayers(from, config) : new Map();
      return { folder: llama.folder, ids, alignment, tensors, layers };
    },
    close: () => llama.close(),
  };
}

/** The source's layers, from the remapped model. */
async function remappedLayers(from: readonly string[], config: BltConfig): Promise<Map<string, Variable>> {
  const remapped = overlay(await Promise.all(from.map(openCheckpoint)));
  try {
    return await loadSourceLayers(remapped, config);
  } finally {
    await remapped.close();
  }
}
