/** @module Writes a safetensors file, tensor by tensor: it is whole or absent. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';
import { LENGTH_BYTES } from './header.js';
import { type TensorInfo, tensorBytes } from './types.js';

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
    throw new ByteifyError('tensor names must be unique and not __metadata__');
  let offset = 0;
  const entries = tensors.map((tensor) => {
    const begin = offset;
    offset += tensorBytes(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, offset] }] as const;
  });
  // fromEntries would reorder names that look like integers; offsets make that harmless.
  const json = JSON.stringify({ ...(metadata && { __metadata__: metadata }), ...Object.fromEntries(entries) });
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, LENGTH_BYTES);
  return header;
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.length - done, 2 ** 26));
    done += bytesWritten;
  }
}

async function* pieces(produced: ReturnType<TensorSource>): AsyncGenerator<Uint8Array> {
  const settled = await produced;
  if (settled instanceof Uint8Array) yield settled;
  else yield* settled;
}

/**
 * Writes the tensors in the order given, under a temporary name that becomes `path` at the end.
 * @throws ByteifyError when a source gives more or fewer bytes than its tensor needs; nothing is left then.
 */
export async function writeSafetensorsFile(
  path: string,
  tensors: readonly TensorInfo[],
  source: TensorSource,
  options: WriteOptions = {},
): Promise<void> {
  const header = encodeHeader(tensors, options.metadata === undefined ? PYTORCH_METADATA : options.metadata);
  const temporary = `${path}.tmp-${process.pid}`;
  const file = await open(temporary, 'w');
  try {
    try {
      await writeAll(file, header);
      for (const tensor of tensors) {
        let written = 0;
        for await (const piece of pieces(source(tensor))) {
          await writeAll(file, piece);
          written += piece.length;
        }
        if (written !== tensorBytes(tensor)) {
          throw new ByteifyError(`tensor ${tensor.name} needs ${tensorBytes(tensor)} bytes and was given ${written}`);
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
