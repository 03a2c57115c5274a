/** @module The size of a tensor. */
import { bytesOfType } from '../data-type.js';

/** Bytes of a tensor's values. */
export const byteCountOf = ({ shape, dtype }: { readonly shape: readonly number[]; readonly dtype: number }): number =>
  shape.reduce((product, extent) => product * extent, bytesOfType(dtype));
