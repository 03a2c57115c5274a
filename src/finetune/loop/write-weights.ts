/** @module The weights of a checkpoint: trained tensors, and copies of those untrained ones that are not stored in the conversion folder. */
import { CHUNK_BYTES } from '../../engine/index.js';
import {
  overlayOf,
  type TensorInfo,
  type TensorReader,
  type TensorSource,
  tensorBytes,
  writeCheckpoint,
  writePartialCheckpoint,
} from '../../safetensors/index.js';

/** The bytes of a tensor, copied in chunks. */
async function* copied(reader: TensorReader, name: string): AsyncGenerator<Uint8Array> {
  const size = tensorBytes(reader.tensors.get(name)!);
  for (let offset = 0; offset < size; offset += CHUNK_BYTES)
    yield await reader.read(name, { offset, length: Math.min(CHUNK_BYTES, size - offset) });
}

/**
 * Writes the weights of a checkpoint. Untrained tensors keep their dtype and bytes: those whose files are in `root` are referred to, the others
 * are copied.
 * @param params.folder the folder to write to
 * @param params.path the final path of that folder
 * @param params.tensors all tensors of the model
 * @param params.trained returns the bytes of a trained tensor, and null for others
 * @param params.start where untrained tensors are read from
 * @param params.root a folder whose files outlive the checkpoint
 * @throws ByteifyError when a file cannot be written or a tensor cannot be read
 */
export async function writeWeights(params: {
  folder: string;
  path: string;
  tensors: readonly TensorInfo[];
  trained: (info: TensorInfo) => ReturnType<TensorSource> | null;
  isTrained: (name: string) => boolean;
  start: TensorReader;
  root: string;
}): Promise<void> {
  const { folder, path, tensors, trained, isTrained, start, root } = params;
  const source: TensorSource = (info) => trained(info) ?? copied(start, info.name);
  const untrained = tensors.map(({ name }) => name).filter((name) => !isTrained(name));
  const rest = overlayOf({ untrained, start, root });
  if (rest.size === 0) {
    await writeCheckpoint(folder, tensors, source);
    return;
  }
  const elsewhere = new Set([...rest.values()].flat());
  const own = tensors.filter(({ name }) => !elsewhere.has(name));
  await writePartialCheckpoint({ folder, path, tensors: own, source, rest });
}
