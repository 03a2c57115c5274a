/** @module Writes a safetensors file tensor by tensor. The file is either complete or absent. */
import { ByteifyError } from '../errors.js';
import { LENGTH_BYTES, MAX_HEADER_BYTES } from './header.js';
import { quoted } from './quoted.js';
import { type TensorInfo, tensorBytes } from './types.js';
import { type Write, writeAtomic } from './write-atomic.js';

/** Provides a tensor's bytes, all at once or in chunks. */
export type TensorSource = (info: TensorInfo) => AsyncIterable<Uint8Array> | Promise<Uint8Array> | Uint8Array;

/** What transformers writes, and what its older versions require. */
const PYTORCH_METADATA = { format: 'pt' };
const ALIGNMENT = 8;

export interface WriteOptions {
  /** Entries for `__metadata__`; null omits it. Default { format: 'pt' }. */
  readonly metadata?: Readonly<Record<string, string>> | null;
}

function encodeHeader(tensors: readonly TensorInfo[], metadata: Readonly<Record<string, string>> | null): Uint8Array {
  const names = new Set(tensors.map(({ name }) => name));
  if (names.size !== tensors.length || names.has('__metadata__'))
    throw new ByteifyError('Tensor names must be unique, and none may be __metadata__.');
  let offset = 0;
  const entries = tensors.map((tensor) => {
    const begin = offset;
    if (!tensor.shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
      throw new ByteifyError(`Tensor ${quoted(tensor.name)} has no valid shape: ${tensor.shape.join(' x ')}.`);
    offset += tensorBytes(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, offset] }] as const;
  });
  // fromEntries reorders names that look like integers; because of the offsets that is harmless.
  const json = JSON.stringify({ ...(metadata && { __metadata__: metadata }), ...Object.fromEntries(entries) });
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  if (padded > MAX_HEADER_BYTES)
    throw new ByteifyError(`A header of ${padded} bytes for ${tensors.length} tensors is more than the format allows.`);
  const header = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, LENGTH_BYTES);
  return header;
}

async function* chunks(produced: ReturnType<TensorSource>): AsyncGenerator<Uint8Array> {
  const settled = await produced;
  if (settled instanceof Uint8Array) yield settled;
  else yield* settled;
}

/** Writes one tensor, and stops as soon as its source provides too much, before that fills the disk. */
async function writeTensor(write: Write, tensor: TensorInfo, source: TensorSource): Promise<void> {
  const needed = tensorBytes(tensor);
  let given = 0;
  for await (const chunk of chunks(source(tensor))) {
    given += chunk.length;
    if (given > needed) break;
    await write(chunk);
  }
  if (given !== needed) {
    const found = given > needed ? 'more' : given;
    throw new ByteifyError(`Tensor ${quoted(tensor.name)} needs ${needed} bytes but its source provided ${found}.`);
  }
}

/**
 * Writes the tensors in the given order under a temporary name, then renames the file to `path`. One chunk is in memory at a time.
 * @throws ByteifyError when the file cannot be written, or a source provides more or fewer bytes than its tensor needs; no file remains.
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: readonly TensorInfo[],
  source: TensorSource,
  options: WriteOptions = {},
): Promise<void> {
  const header = encodeHeader(tensors, options.metadata === undefined ? PYTORCH_METADATA : options.metadata);
  await writeAtomic(path, async (write) => {
    await write(header);
    for (const tensor of tensors) await writeTensor(write, tensor, source);
  });
}
