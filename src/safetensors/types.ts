/** @module What a reader of tensors offers, whatever the file. */
import { type Dtype, dtypeBytes } from './dtype.js';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
}

/** A part of a tensor, in bytes from its beginning. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface TensorReader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Raw little-endian bytes of a tensor, or of a range inside it. */
  read(name: string, range?: ByteRange): Promise<Uint8Array>;
  /** The folder whose weight files hold a tensor; null, or no such method, where that is not known. */
  folderOf?(name: string): string | null;
  close(): Promise<void>;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function tensorBytes({ dtype, shape }: TensorInfo): number {
  return elementCount(shape) * dtypeBytes(dtype);
}
