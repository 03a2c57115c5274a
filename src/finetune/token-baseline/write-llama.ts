/** @module Writes a trained Llama as a folder that transformers loads, and that byteify takes as a model. */
import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFolderAtomic } from '../../fs/index.js';
import { type LlamaSource, llamaTensors, rowsInHalfOrder } from '../../llama/index.js';
import type { Params } from '../../model/index.js';
import { fromFloat32, type TensorInfo, writeCheckpoint } from '../../safetensors/index.js';

const IS_TOKENIZER_FILE =
  /^(tokenizer.*\.(json|model)|special_tokens_map\.json|generation_config\.json|chat_template\..*)$/;

/**
 * Writes `out` atomically: config.json, the weights as float32, and the source's tokenizer.
 * @param source whose tokenizer and config it has @param params its trained tensors, in the source's order of rows
 */
export async function writeLlama(source: LlamaSource, params: Params, out: string): Promise<void> {
  const { config, configJson, folder } = source;
  const tensors: TensorInfo[] = llamaTensors(config).map((tensor) => ({ ...tensor, dtype: 'F32' }));
  await writeFolderAtomic(out, async (draft) => {
    await writeCheckpoint(draft, tensors, async (tensor) =>
      rowsInHalfOrder(source, tensor, fromFloat32(params.get(tensor.name)!.dataSync() as Float32Array, 'F32')),
    );
    const { quantization_config: _, ...json } = configJson;
    const written = { ...json, tie_word_embeddings: config.tiedEmbeddings, dtype: 'float32' };
    await writeFile(join(draft, 'config.json'), `${JSON.stringify(written, null, 2)}\n`);
    for (const name of (await readdir(folder)).filter((file) => IS_TOKENIZER_FILE.test(file)))
      await copyFile(join(folder, name), join(draft, name));
  });
}
