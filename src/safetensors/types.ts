/** @module The interface of a tensor reader, whatever the file format. */
import { type Dtype, dtypeBits } from './dtype.js';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
}

/** A byte range within a tensor. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface TensorReader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Raw little-endian bytes of a tensor, or of a range within it. */
  read(name: string, range?: ByteRange): Promise<Uint8Array>;
  /** The folder whose weight files contain a tensor; null, or no such method, when it is unknown. */
  folderOf?(name: string): string | null;
  close(): Promise<void>;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Bytes of a tensor. Fractional when its packed elements (F4, F6) do not fill the last byte, which no valid file allows. */
export function tensorBytes({ dtype, shape }: Pick<TensorInfo, 'dtype' | 'shape'>): number {
  return (elementCount(shape) * dtypeBits(dtype)) / 8;
}
