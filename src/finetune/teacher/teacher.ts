/** @module The source as a teacher: its tokenizer and vocabulary, its tensors, and the alignment of the patcher with its tokens. */

import { tf } from '../../engine/index.js';
import { type LlamaSource, openLlama } from '../../llama/index.js';
import { loadSourceTensors, type SourceTensors, sourceEmbedding } from '../../model/index.js';
import { type Alignment, openSourceReader, readAlignment, type SourceReader } from '../../patching/index.js';
import type { TrainingSource } from '../loop/train-options.js';

export interface Teacher {
  readonly llama: LlamaSource;
  readonly reader: SourceReader;
  readonly alignment: Alignment | null;
  /** The variance of its embeddings, averaged over channels. Embedding losses are relative to it. */
  readonly variance: number;
  /** What a training loop needs of the source. Each call loads the tensors again; the loop disposes them. */
  trainingSource(wanted: SourceTensors): Promise<TrainingSource>;
  close(): Promise<void>;
}

/** @param folder the source. @param patcher the folder of the patcher that cuts the text. The engine must be started. */
export async function openTeacher(folder: string, patcher: string): Promise<Teacher> {
  const llama = await openLlama(folder);
  const ids = { vocabSize: llama.config.vocabSize, bosId: llama.config.bosId, eosIds: llama.config.eosIds };
  const reader = await openSourceReader(llama.folder, ids);
  const alignment = await readAlignment(patcher);
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
      const tensors = await loadSourceTensors(llama, reader.vocabulary.order, wanted);
      return { folder: llama.folder, ids, alignment, tensors };
    },
    close: () => llama.close(),
  };
}
