/** @module The interface that a backend runs on: tensors in and out, operations by name. */
import { ByteifyError } from '../errors.js';
import type { Attribute } from './attributes.js';
import { DataType, type GraphOutput, type Pointer, type TensorFlowApi } from './native.js';

/** A tensor in TensorFlow's memory, or one that a graph will compute. `dtype` is a TF_DataType. */
export interface NativeTensor {
  /** The handle of an eager tensor; 0n for a tensor of a graph. */
  readonly handle: Pointer;
  readonly shape: number[];
  readonly dtype: number;
  /** For a variable's handle: the TF_DataType of the variable's value. */
  readonly valueType?: number;
  /** The output that produces it in the graph being traced. */
  readonly output?: GraphOutput;
}

/** What a backend runs on: the eager runtime, or a graph being traced. */
export interface Executor {
  /** Copies values in. `bytes` is the row-major little-endian content. */
  create(bytes: Uint8Array, shape: readonly number[], dtype: number): NativeTensor;
  /** Copies a tensor's bytes out, and waits for the device to compute them. */
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
  /** Like create, from consecutive chunks, for tensors that do not fit into one array. */
  createFromChunks(chunks: AsyncIterable<Uint8Array>, shape: readonly number[], dtype: number): Promise<NativeTensor>;
  /** A tensor of zeros. On a CPU, a large one takes memory only where it is written to. */
  createZeros(shape: readonly number[], dtype: number): NativeTensor;
  /** Like read, in chunks of at most `chunkBytes`. */
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
  /** Adds a TF_Function, which the caller keeps, to the context under its name. The returned function removes it again. */
  addFunction(fn: Pointer, name: string): () => void;
  /** The number of live handles, for leak tests. */
  liveHandles(): number;
  /** Ends the process immediately, without waiting for `executeAsync`. */
  leave(exitCode: number): void;
}

/** Bytes per value. */
export function bytesOfType(dtype: number): number {
  if (dtype === DataType.float64) return 8;
  if (dtype === DataType.float32 || dtype === DataType.int32) return 4;
  return dtype === DataType.bfloat16 ? 2 : 1;
}

/** @throws ByteifyError with TensorFlow's own message when a call failed. */
export function checkStatus(api: TensorFlowApi, status: Pointer, what: string): void {
  if (api.TF_GetCode(status) === 0) return;
  throw new ByteifyError(`TensorFlow failed in ${what}: ${api.TF_Message(status).split('\n')[0]}`);
}
