/** @module What a reader of tensors offers, whatever the file. */
import { type Dtype, dtypeBits } from './dtype.js';

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

/** Bytes of a tensor; a fraction where its packed elements (F4, F6) do not fill the last byte, which no sound file has. */
export function tensorBytes({ dtype, shape }: Pick<TensorInfo, 'dtype' | 'shape'>): number {
  return (elementCount(shape) * dtypeBits(dtype)) / 8;
}
