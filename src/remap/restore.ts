/** @module The reverse of the remap: extracts a Llama's layers from a BLT's latent global transformer. */
import { halfOrder, reorderRows } from '../llama/index.js';
import type { TensorReader } from '../safetensors/index.js';
import { toLlamaName } from './mapping.js';

export interface RestoredTensor {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Yields the bytes of every layer tensor under its Llama name, with the rows of q and k back in the half layout.
 * @param headDim of the global transformer.
 */
export async function* restoreLlamaLayers(blt: TensorReader, headDim: number): AsyncGenerator<RestoredTensor> {
  for (const { name, shape } of blt.tensors.values()) {
    const mapped = toLlamaName(name);
    if (mapped === null) continue;
    const bytes = await blt.read(name);
    yield {
      name: mapped.name,
      bytes: mapped.transform === 'copy' ? bytes : reorderRows(bytes, halfOrder(shape[0]!, headDim)),
    };
  }
}
