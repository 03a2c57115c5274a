/** @module Refuses a checkpoint with weights that are not finite numbers. */
import { ByteifyError } from '../errors.js';
import { openCheckpoint, quoted, tensorBytes, tensorChunks } from '../safetensors/index.js';

/** The exponent of a float32; infinities and NaN have all its bits. */
const EXPONENT = 0x7f800000;

function allFinite(float32: Uint8Array): boolean {
  const aligned = float32.byteOffset % 4 === 0 ? float32 : float32.slice();
  const bits = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
  return bits.every((value) => (value & EXPONENT) !== EXPONENT);
}

/** Reads all weights. @throws ByteifyError naming the first tensor with one, or a file that is missing; the signal's reason. */
export async function refuseNonFinite(
  folder: string,
  options: {
    readonly hint: string;
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number) => void;
  },
): Promise<void> {
  const { hint, signal, onProgress } = options;
  const reader = await openCheckpoint(folder);
  try {
    const tensors = [...reader.tensors.values()];
    const total = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    let done = 0;
    for (const tensor of tensors) {
      for await (const chunk of tensorChunks(reader, tensor, { dtype: 'F32', signal })) {
        if (allFinite(chunk)) continue;
        throw new ByteifyError(`${quoted(tensor.name)} in ${folder} contains numbers that are not finite.`, { hint });
      }
      done += tensorBytes(tensor);
      onProgress(done, total);
    }
  } finally {
    await reader.close();
  }
}
