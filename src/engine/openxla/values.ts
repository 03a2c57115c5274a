/** @module Values on the host and on the device, with their owners counted. */
import { ByteifyError } from '../../errors.js';
import { DataType } from '../data-type.js';
import type { Pointer } from '../executor.js';
import { fillFromChunks } from '../fill-from-chunks.js';
import type { Client } from '../pjrt/client.js';
import { BufferType } from '../pjrt/layouts.js';
import { createArena, withArena } from '../pjrt/native-memory.js';
import { byteCountOf } from './byte-count.js';
import type { DeviceTensor, Place, Stored } from './stored.js';

const BUFFER_TYPES: Readonly<Record<number, number>> = {
  [DataType.float32]: BufferType.f32,
  [DataType.float64]: BufferType.f64,
  [DataType.int32]: BufferType.s32,
  [DataType.int64]: BufferType.s64,
  [DataType.int8]: BufferType.s8,
  [DataType.uint8]: BufferType.u8,
  [DataType.bool]: BufferType.pred,
  [DataType.bfloat16]: BufferType.bf16,
};

/** Smaller values stay on the host until a program needs them: most are axes, shapes and scalars, which programs contain. */
const HOST_BYTES = 1024;

export interface Values {
  /** A tensor with a value of its own. */
  tensor(place: Place, shape: readonly number[], dtype: number): DeviceTensor;
  /** Another tensor with the same value. */
  share(stored: Stored): DeviceTensor;
  /** The value of a tensor. @throws ByteifyError when it was released */
  of(tensor: DeviceTensor): Stored;
  create(bytes: Uint8Array, shape: readonly number[], dtype: number): DeviceTensor;
  /** Fills a value from consecutive chunks. @throws ByteifyError when their total length differs from its size */
  createFromChunks(chunks: AsyncIterable<Uint8Array>, shape: readonly number[], dtype: number): Promise<DeviceTensor>;
  /** The buffer of a value that is not pending. */
  buffer(stored: Stored): Pointer;
  download(stored: Stored): Uint8Array;
  downloadChunks(stored: Stored, chunkBytes: number): Generator<Uint8Array>;
  /** One owner less: the last one frees the value. */
  drop(stored: Stored): void;
  /** A tensor of the runtime's own, which keeps a value until `letGo`. It is not counted as live. */
  hold(stored: Stored): DeviceTensor;
  letGo(tensor: DeviceTensor): void;
  /** Tensors that callers own. */
  live(): number;
}

export function createValues(client: Client, onDropPending: (stored: Stored) => void): Values {
  let live = 0;

  function hold(stored: Stored): DeviceTensor {
    stored.owners++;
    return { handle: 0n, shape: [...stored.shape], dtype: stored.dtype, stored, released: false };
  }

  function letGo({ stored }: { readonly stored: Stored | null }): void {
    if (stored === null || --stored.owners > 0) return;
    if (stored.place.kind === 'device') client.release(stored.place.buffer);
    if (stored.place.kind === 'pending') onDropPending(stored);
  }

  function share(stored: Stored): DeviceTensor {
    live++;
    return hold(stored);
  }

  const tensor = (place: Place, shape: readonly number[], dtype: number) =>
    share({ shape: [...shape], dtype, place, owners: 0 });

  function buffer(stored: Stored): Pointer {
    if (stored.place.kind === 'device') return stored.place.buffer;
    if (stored.place.kind === 'pending') throw new Error('a pending value has no buffer');
    const made = client.upload(stored.place.bytes, stored.shape, BUFFER_TYPES[stored.dtype]!);
    stored.place = { kind: 'device', buffer: made };
    return made;
  }

  /** Copies a buffer to native memory, which `use` reads. */
  function downloaded<T>(stored: Stored, use: (bytes: Buffer) => T): T {
    return withArena((arena) => {
      const { at, bytes } = arena.allocate(byteCountOf(stored));
      client.download(buffer(stored), at, byteCountOf(stored));
      return use(bytes);
    });
  }

  return {
    tensor,
    share,
    buffer,
    of(tensor) {
      if (tensor.output !== undefined) {
        throw new ByteifyError(`A traced tensor [${tensor.shape.join(', ')}] was used after its trace.`, {
          hint: 'Return it as a result, and use the value that the call returns.',
        });
      }
      if (tensor.released) throw new ByteifyError('A tensor or variable was used after it was disposed.');
      if (tensor.stored === null) throw new ByteifyError('A variable was read before it had a value.');
      return tensor.stored;
    },
    create(bytes, shape, dtype) {
      if (bytes.byteLength <= HOST_BYTES) return tensor({ kind: 'host', bytes: new Uint8Array(bytes) }, shape, dtype);
      return tensor({ kind: 'device', buffer: client.upload(bytes, shape, BUFFER_TYPES[dtype]!) }, shape, dtype);
    },
    async createFromChunks(chunks, shape, dtype) {
      const byteCount = byteCountOf({ shape, dtype });
      const arena = createArena();
      try {
        const { at, bytes } = arena.allocate(byteCount);
        await fillFromChunks(chunks, byteCount, (chunk, offset) => bytes.set(chunk, offset));
        const memory = { at, free: () => arena.free() };
        const made = client.uploadFrom(memory, shape, BUFFER_TYPES[dtype]!);
        return tensor({ kind: 'device', buffer: made }, shape, dtype);
      } catch (error) {
        arena.free();
        throw error;
      }
    },
    download: (stored) =>
      stored.place.kind === 'host'
        ? stored.place.bytes.slice()
        : downloaded(stored, (bytes) => new Uint8Array(bytes.subarray(0, byteCountOf(stored)))),
    *downloadChunks(stored, chunkBytes) {
      const byteCount = byteCountOf(stored);
      const arena = createArena();
      try {
        const { at, bytes } = arena.allocate(byteCount);
        client.download(buffer(stored), at, byteCount);
        for (let from = 0; from < byteCount; from += chunkBytes)
          yield new Uint8Array(bytes.subarray(from, Math.min(byteCount, from + chunkBytes)));
      } finally {
        arena.free();
      }
    },
    hold,
    letGo,
    drop(stored) {
      live--;
      letGo({ stored });
    },
    live: () => live,
  };
}
