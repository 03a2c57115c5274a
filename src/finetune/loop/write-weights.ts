/** @module The weights of a run's checkpoint: what was trained, and of the rest what does not lie in the conversion already. */
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

/** Bytes of a tensor that is copied as it is, in pieces. */
async function* copied(reader: TensorReader, name: string): AsyncGenerator<Uint8Array> {
  const size = tensorBytes(reader.tensors.get(name)!);
  for (let offset = 0; offset < size; offset += CHUNK_BYTES)
    yield await reader.read(name, { offset, length: Math.min(CHUNK_BYTES, size - offset) });
}

/**
 * A model as a run leaves it. Tensors that were not trained keep their bytes: those that lie in `root` are read from there by whoever opens
 * the checkpoint, the others are copied.
 * @param params.folder gets the files
 * @param params.path what the folder is called when it is done
 * @param params.tensors all of the model's
 * @param params.trained bytes of a tensor that was trained; null of another
 * @param params.start where the others are read from
 * @param params.root a folder whose files outlive the checkpoint
 * @throws ByteifyError when the disk refuses, or a tensor cannot be read
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
