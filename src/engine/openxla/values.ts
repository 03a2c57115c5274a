/** @module Values on the host and on the device, with their owners counted. */
import { ByteifyError } from '../../errors.js';
import type { Pointer } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import type { Layout, Split } from './split.js';
import type { DevicePlace, DeviceTensor, Place, Stored } from './stored.js';
import { createTransfers } from './transfers.js';

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
  /** Where a value is that is not pending. A value on the host is copied to the devices first. */
  onDevices(stored: Stored): DevicePlace;
  /** Its buffers, one on each device. */
  buffers(stored: Stored): readonly Pointer[];
  /** How those divide the value. */
  splitOf(stored: Stored): Split;
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

/** @param onDropPending called when nothing owns a pending value any more */
export function createValues(client: Client, layout: Layout, onDropPending: (stored: Stored) => void): Values {
  const transfers = createTransfers(client, layout);
  let live = 0;

  function hold(stored: Stored): DeviceTensor {
    stored.owners++;
    return { handle: 0n, shape: [...stored.shape], dtype: stored.dtype, stored, released: false };
  }

  function letGo({ stored }: { readonly stored: Stored | null }): void {
    if (stored === null || --stored.owners > 0) return;
    if (stored.place.kind === 'device') stored.place.buffers.forEach(client.release);
    if (stored.place.kind === 'pending') onDropPending(stored);
  }

  function share(stored: Stored): DeviceTensor {
    live++;
    return hold(stored);
  }

  const tensor = (place: Place, shape: readonly number[], dtype: number) =>
    share({ shape: [...shape], dtype, place, owners: 0 });

  function onDevices(stored: Stored): DevicePlace {
    if (stored.place.kind === 'pending') throw new Error('a pending value has no buffer');
    if (stored.place.kind === 'host') stored.place = transfers.upload(stored.place.bytes, stored);
    return stored.place;
  }

  return {
    tensor,
    share,
    onDevices,
    buffers: (stored) => onDevices(stored).buffers,
    splitOf: (stored) => onDevices(stored).split,
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
      return tensor(transfers.upload(bytes, { shape, dtype }), shape, dtype);
    },
    createFromChunks: async (chunks, shape, dtype) =>
      tensor(await transfers.uploadChunks(chunks, { shape, dtype }), shape, dtype),
    download: (stored) =>
      stored.place.kind === 'host'
        ? stored.place.bytes.slice()
        : transfers.download(onDevices(stored), stored, (bytes) => Uint8Array.from(bytes)),
    *downloadChunks(stored, chunkBytes) {
      yield* transfers.downloadChunks(onDevices(stored), stored, chunkBytes);
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
