/** @module Writes a safetensors file, tensor by tensor: it is whole or absent. */
import { ByteifyError } from '../errors.js';
import { LENGTH_BYTES, MAX_HEADER_BYTES } from './header.js';
import { quoted } from './quoted.js';
import { type TensorInfo, tensorBytes } from './types.js';
import { type Write, writeAtomic } from './write-atomic.js';

/** Where a tensor's bytes come from: all at once, or in pieces. */
export type TensorSource = (info: TensorInfo) => AsyncIterable<Uint8Array> | Promise<Uint8Array> | Uint8Array;

/** What transformers writes, and older versions insist on. */
const PYTORCH_METADATA = { format: 'pt' };
const ALIGNMENT = 8;

export interface WriteOptions {
  /** Text for `__metadata__`; null leaves it away. Default { format: 'pt' }. */
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
  // fromEntries would reorder names that look like integers; offsets make that harmless.
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

async function* pieces(produced: ReturnType<TensorSource>): AsyncGenerator<Uint8Array> {
  const settled = await produced;
  if (settled instanceof Uint8Array) yield settled;
  else yield* settled;
}

/** Stops a source that gives too much before the disk is full of it. */
async function writeTensor(write: Write, tensor: TensorInfo, source: TensorSource): Promise<void> {
  const needed = tensorBytes(tensor);
  let given = 0;
  for await (const piece of pieces(source(tensor))) {
    given += piece.length;
    if (given > needed) break;
    await write(piece);
  }
  if (given !== needed) {
    const found = given > needed ? 'more' : given;
    throw new ByteifyError(`Tensor ${quoted(tensor.name)} needs ${needed} bytes and was given ${found}.`);
  }
}

/**
 * Writes the tensors in the order given, under a temporary name that becomes `path` at the end; one piece at a time is in memory.
 * @throws ByteifyError when the file cannot be written, or a source gives more or fewer bytes than its tensor needs; nothing is left then.
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
