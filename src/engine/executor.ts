/** @module The interfaces that a backend runs on: tensors in and out, operations by name, traced functions. */
import type { Attribute } from './attributes.js';

/** A C pointer. */
export type Pointer = bigint;

/** A tensor in an executor's memory, or one that a graph will compute. `dtype` is a TF_DataType. */
export interface NativeTensor {
  /** TensorFlow's handle of an eager tensor; 0n for all others. */
  readonly handle: Pointer;
  readonly shape: number[];
  readonly dtype: number;
  /** For a variable's handle: the TF_DataType of the variable's value. */
  readonly valueType?: number;
  /** What produces it in the graph being traced. Its form is the graph's own. */
  readonly output?: object;
}

/** What a backend runs on: a runtime, or a graph being traced. */
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

/** A function over tensors that was traced once. */
export interface TracedFunction {
  readonly name: string;
  /** Whether it changes variables: a call must then run even if nothing reads its results. */
  readonly changesVariables: boolean;
  /** Handles of the variables it uses, which follow the inputs at each call. */
  readonly captured: readonly NativeTensor[];
  /** The captured variables that the function changes. */
  readonly changed: ReadonlySet<NativeTensor>;
  /** The shape of each result. */
  readonly shapes: readonly (readonly number[])[];
  readonly operations: number;
  remove(): void;
}

export type InputLike = Pick<NativeTensor, 'dtype' | 'valueType'> & { readonly shape: readonly number[] };

export interface Graph extends Executor {
  /** Adds an input like the given one, which may be a variable. Inputs precede captured variables in the function's signature. */
  input(like: InputLike): NativeTensor;
  /** Calls another function of the same runtime. It must not capture variables. */
  callCompiled(fn: TracedFunction, inputs: readonly NativeTensor[]): NativeTensor[];
  /** Turns the graph into a function of its inputs that returns `outputs`. The graph is released. */
  finish(name: string, outputs: readonly NativeTensor[]): TracedFunction;
  /** Releases the graph without making a function of it. */
  abandon(): void;
}

/** How a traced function runs: as a graph, node by node, or as machine code from XLA. Devices of OpenXLA always do the latter. */
export type CompileMode = 'graph' | 'xla';

export interface Device {
  readonly name: string;
  readonly type: string;
}

/** Bytes of a device's memory. */
export interface DeviceMemory {
  readonly used: number;
  /** Since the process began. */
  readonly peak: number;
  /** Null where the device does not say. */
  readonly limit: number | null;
}

/** The processes that compute together. */
export interface Cluster {
  /** Of this process, from 0. */
  readonly rank: number;
  /** `host:port` of each process, by rank. */
  readonly addresses: readonly string[];
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
  /** Begins a trace, whose operations may read values of this runtime. */
  createGraph(): Graph;
  /** Runs a traced function on another thread. Its inputs, variables included, must stay alive until it is done. */
  call(fn: TracedFunction, inputs: readonly NativeTensor[], mode: CompileMode): Promise<NativeTensor[]>;
  /** Compiles a function on another thread before its first call. Null where only a call does so. */
  readonly compile: ((fn: TracedFunction) => Promise<void>) | null;
  /**
   * Sums a float32 tensor over the processes of the cluster, on another thread. Null where a process computes alone.
   * @param key pairs the calls of the processes. It may be used again once the call before has ended, for a tensor of the same shape.
   */
  readonly sumOverProcesses: ((tensor: NativeTensor, key: number) => Promise<NativeTensor>) | null;
  /** Whether it runs the project's kernels in Triton. */
  readonly triton: boolean;
  /** The device's memory. Null where it is not counted. */
  memory(): DeviceMemory | null;
  /** The number of live handles, for leak tests. */
  liveHandles(): number;
  /** Ends the process immediately, without waiting for calls on other threads. */
  leave(exitCode: number): void;
}
