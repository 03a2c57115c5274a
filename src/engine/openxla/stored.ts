/** @module The values of tensors on a device. Tensors and variables may share one. */
import type { NativeTensor, Pointer } from '../executor.js';
import type { Split } from './split.js';

export interface DevicePlace {
  readonly kind: 'device';
  /** One on each device, with the whole value or a part of it. */
  readonly buffers: readonly Pointer[];
  readonly split: Split;
}

/** Where a value is: on the host, on the devices, or in the program that is being collected. */
export type Place =
  | { readonly kind: 'host'; readonly bytes: Uint8Array }
  | DevicePlace
  | { readonly kind: 'pending'; readonly tensor: NativeTensor };

/** One value, and how many tensors and variables have it. */
export interface Stored {
  readonly shape: readonly number[];
  readonly dtype: number;
  place: Place;
  owners: number;
}

/** A tensor of the runtime, or the handle of a variable. */
export interface DeviceTensor extends NativeTensor {
  /** Null for a variable without a value, and once the tensor is released. */
  stored: Stored | null;
  released: boolean;
}
