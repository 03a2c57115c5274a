/** @module What a backend runs on: tensors in and out, operations by name. */
import { ByteifyError } from '../errors.js';
import type { Attribute } from './attributes.js';
import { DataType, type GraphOutput, type Pointer, type TensorFlowApi } from './native.js';

/** A tensor that TensorFlow holds, or one that a graph will compute. `dtype` is a TF_DataType. */
export interface NativeTensor {
  /** Of values; 0n for a graph's. */
  readonly handle: Pointer;
  readonly shape: number[];
  readonly dtype: number;
  /** Of a variable's handle: the TF_DataType of the variable's value. */
  readonly valueType?: number;
  /** Where it comes from in the graph that is being traced. */
  readonly output?: GraphOutput;
}

/** What a backend runs on: the eager runtime, or a graph that is being traced. */
export interface Executor {
  /** Copies values in. `bytes` is the row-major little-endian content. */
  create(bytes: Uint8Array, shape: readonly number[], dtype: number): NativeTensor;
  /** Copies a tensor's bytes out (waits for a device). */
  read(tensor: NativeTensor): Uint8Array;
  release(tensor: NativeTensor): void;
  /** Runs one operation. Inputs stay alive; the caller owns the results. */
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly NativeTensor[],
    outputs: number,
  ): NativeTensor[];
}

export interface Device {
  readonly name: string;
  readonly type: string;
}

export interface Runtime extends Executor {
  /** As create, from pieces that follow each other: what does not fit into one array. */
  createFromChunks(chunks: AsyncIterable<Uint8Array>, shape: readonly number[], dtype: number): Promise<NativeTensor>;
  /** Zeros. Large ones take memory on a CPU only where they are written to. */
  createZeros(shape: readonly number[], dtype: number): NativeTensor;
  /** As read, in pieces of at most `chunkBytes`. */
  readChunks(tensor: NativeTensor, chunkBytes: number): Generator<Uint8Array>;
  readonly version: string;
  readonly devices: readonly Device[];
  /** Runs an operation or a function on another thread. Its inputs must stay alive until it is done. */
  executeAsync(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly NativeTensor[],
    outputs: number,
  ): Promise<NativeTensor[]>;
  /** Adds a TF_Function to the context under the name it has; it stays the caller's. The result removes it again. */
  addFunction(fn: Pointer, name: string): () => void;
  /** How many handles are alive: what a leak test watches. */
  liveHandles(): number;
  /** Ends the process at once, without waiting for what `executeAsync` runs. */
  leave(exitCode: number): void;
}

/** Bytes of one value. */
export function bytesOfType(dtype: number): number {
  if (dtype === DataType.float64) return 8;
  if (dtype === DataType.float32 || dtype === DataType.int32) return 4;
  return dtype === DataType.bfloat16 ? 2 : 1;
}

/** @throws ByteifyError with TensorFlow's own words when a call failed. */
export function checkStatus(api: TensorFlowApi, status: Pointer, what: string): void {
  if (api.TF_GetCode(status) === 0) return;
  throw new ByteifyError(`TensorFlow failed in ${what}: ${api.TF_Message(status).split('\n')[0]}`);
}
