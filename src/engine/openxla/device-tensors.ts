/** @module The tensors of a runtime: values on its devices, and operations that are collected until a value is needed. */
import type { NativeTensor } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import { createCollectedOperations } from './collected-operations.js';
import { createMoves } from './moves.js';
import type { Layout, Split } from './split.js';
import type { DevicePlace, DeviceTensor, Stored } from './stored.js';
import { createValues } from './values.js';

export type DeviceTensors = ReturnType<typeof createDeviceTensors>;

export function createDeviceTensors(client: Client, layout: Layout) {
  const values = createValues(client, layout, (stored) => collected.forget(stored));
  const collected = createCollectedOperations(client, layout, values, read);
  const move = createMoves(client, layout);

  /** A value that is computed: if it was pending, what was collected runs. */
  function settled(tensor: NativeTensor): Stored {
    const stored = values.of(tensor as DeviceTensor);
    if (stored.place.kind === 'pending') collected.flush();
    return stored;
  }

  function read(tensor: NativeTensor): Uint8Array {
    return values.download(settled(tensor));
  }

  /**
   * Where a value is, divided over the devices in the given way. The value itself is moved there, unless it is shared: then it is copied for one
   * call, and the caller releases the copy.
   */
  function placed(stored: Stored, split: Split): { readonly place: DevicePlace; readonly isCopy: boolean } {
    const place = values.onDevices(stored);
    if (place.split === split) return { place, isCopy: false };
    const moved = move(place, stored, split);
    if (stored.owners > 1) return { place: moved, isCopy: true };
    place.buffers.forEach(client.release);
    stored.place = moved;
    return { place: moved, isCopy: false };
  }

  return {
    values,
    settled,
    placed,
    read,
    execute: collected.execute,
    release(tensor: NativeTensor): void {
      const own = tensor as DeviceTensor;
      if (own.output !== undefined || own.released) return;
      own.released = true;
      if (own.stored !== null) values.drop(own.stored);
      own.stored = null;
    },
    /** Gives a variable the value of a tensor. */
    assign(variable: DeviceTensor, tensor: NativeTensor): void {
      const { stored } = values.share(values.of(tensor as DeviceTensor));
      if (variable.stored !== null) values.drop(variable.stored);
      variable.stored = stored;
    },
  };
}
