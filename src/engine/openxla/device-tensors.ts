/** @module The tensors of a runtime: values on its devices, and operations that are collected until a value is needed. */
import type { NativeTensor } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import { createCollectedOperations } from './collected-operations.js';
import { createMoves } from './moves.js';
import type { Layout, Split } from './split.js';
import type { DeviceTensor, Stored } from './stored.js';
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

  /** The value, divided over the devices in the given way. */
  function placed(stored: Stored, split: Split): Stored {
    const place = values.onDevices(stored);
    if (place.split !== split) stored.place = move(place, stored, split);
    return stored;
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
