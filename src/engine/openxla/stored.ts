/** @module The values of tensors on a device. Tensors and variables may share one. */
import type { NativeTensor, Pointer } from '../executor.js';

/** Where a value is: on the host, on the device, or in the program that is being collected. */
export type Place =
  | { readonly kind: 'host'; readonly bytes: Uint8Array }
  | { readonly kind: 'device'; readonly buffer: Pointer }
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
