/** @module Opens a source model for inference. */
import { type LlamaSource, llamaTensors, openLlama } from '../llama/index.js';
import type { LlamaModel } from './llama.js';
import { disposeParams, loadParams } from './load-params.js';

/** Loads every tensor of a source (a folder or a GGUF file) as float32. The engine must be started. @throws ByteifyError if it cannot be read. */
export async function openLlamaModel(
  folder: string,
): Promise<LlamaModel & Pick<LlamaSource, 'quantisedTypes'> & { dispose(): void }> {
  const source = await openLlama(folder);
  try {
    const names = llamaTensors(source.config).map(({ name }) => name);
    const params = await loadParams(source.reader, names);
    const { config, ropeLayout, quantisedTypes } = source;
    return { params, config, ropeLayout, quantisedTypes, dispose: () => disposeParams(params) };
  } finally {
    await source.close();
  }
}
