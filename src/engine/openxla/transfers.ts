/** @module Copies values between the host and the devices, which have them whole or in parts. */
import { DataType } from '../data-type.js';
import { fillFromChunks } from '../fill-from-chunks.js';
import type { Client } from '../pjrt/client.js';
import { BufferType } from '../pjrt/layouts.js';
import { createArena, withArena } from '../pjrt/native-memory.js';
import { byteCountOf } from './byte-count.js';
import { type Content, type Layout, partOf, partShape, perDevice, putPart, splitOf } from './split.js';
import type { DevicePlace } from './stored.js';

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

export interface Transfers {
  /** Divides a value as the layout says. */
  upload(bytes: Uint8Array, content: Content): DevicePlace;
  /** @throws ByteifyError when the total length of the chunks differs from the size of the value */
  uploadChunks(chunks: AsyncIterable<Uint8Array>, content: Content): Promise<DevicePlace>;
  /** @param use reads the value before its memory is freed */
  download<T>(place: DevicePlace, content: Content, use: (bytes: Buffer) => T): T;
  downloadChunks(place: DevicePlace, content: Content, chunkBytes: number): Generator<Uint8Array>;
}

export function createTransfers(client: Client, layout: Layout): Transfers {
  const { devices } = layout;

  function upload(bytes: Uint8Array, content: Content): DevicePlace {
    const split = splitOf(layout, content);
    const shape = partShape(content.shape, split, devices);
    const buffers = perDevice(layout, (device) => {
      const part = split === null ? bytes : partOf(bytes, content, { split, devices, device });
      return client.upload(part, shape, BUFFER_TYPES[content.dtype]!, device);
    });
    return { kind: 'device', buffers, split };
  }

  /** Copies a value to `bytes`, which are at the address `at`. */
  function fetch({ buffers, split }: DevicePlace, content: Content, to: { at: bigint; bytes: Uint8Array }): void {
    const byteCount = byteCountOf(content);
    if (split === null) {
      client.download(buffers[0]!, to.at, byteCount);
      return;
    }
    withArena((arena) => {
      const part = arena.allocate(byteCount / devices);
      buffers.forEach((buffer, device) => {
        client.download(buffer, part.at, byteCount / devices);
        putPart(part.bytes, content, { split, devices, device }, to.bytes);
      });
    });
  }

  return {
    upload,
    async uploadChunks(chunks, content) {
      const byteCount = byteCountOf(content);
      const arena = createArena();
      const free = () => arena.free();
      try {
        const { at, bytes } = arena.allocate(byteCount);
        await fillFromChunks(chunks, byteCount, (chunk, offset) => bytes.set(chunk, offset));
        if (devices === 1) {
          const buffer = client.uploadFrom({ at, free }, content.shape, BUFFER_TYPES[content.dtype]!);
          return { kind: 'device', buffers: [buffer], split: null };
        }
        const place = upload(bytes.subarray(0, byteCount), content);
        free();
        return place;
      } catch (error) {
        free();
        throw error;
      }
    },
    download: (place, content, use) =>
      withArena((arena) => {
        const memory = arena.allocate(byteCountOf(content));
        fetch(place, content, memory);
        return use(memory.bytes.subarray(0, byteCountOf(content)));
      }),
    *downloadChunks(place, content, chunkBytes) {
      const byteCount = byteCountOf(content);
      const arena = createArena();
      try {
        const memory = arena.allocate(byteCount);
        fetch(place, content, memory);
        for (let from = 0; from < byteCount; from += chunkBytes)
          yield new Uint8Array(memory.bytes.subarray(from, Math.min(byteCount, from + chunkBytes)));
      } finally {
        arena.free();
      }
    },
  };
}
