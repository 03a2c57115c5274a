/** @module The tfjs-core backend on top of a runtime: tensor storage and raw operations. The kernels are in kernels.ts. */
import {
  type BackendValues,
  backend,
  type DataId,
  engine,
  KernelBackend,
  type Tensor,
  type TensorInfo,
  type DataType as TfjsDataType,
  tidy,
} from '@tensorflow/tfjs-core';
import { ByteifyError } from '../errors.js';
import { type Attribute, dataTypeOf } from './attributes.js';
import { DataType } from './data-type.js';
import type { CompileMode, Executor, Graph, NativeTensor, Runtime, TracedFunction } from './executor.js';
import { trackInFlight } from './in-flight.js';

interface Entry {
  readonly tensor: NativeTensor;
  refCount: number;
}

/** What a trace needs to know about an input. */
interface Described {
  readonly shape: readonly number[];
  readonly dtype: TfjsDataType;
}

function tfjsTypeOf(dtype: number): TfjsDataType {
  switch (dtype) {
    case DataType.float32:
    case DataType.float64: // tfjs-core has no name for these two; only operations that know the real type produce them
    case DataType.bfloat16:
      return 'float32';
    case DataType.int32:
    case DataType.int8: // like bfloat16: mapped to a type that tfjs-core knows
      return 'int32';
    case DataType.bool:
      return 'bool';
  }
  throw new ByteifyError(`An operation returned TF_DataType ${dtype}, which the engine does not support.`);
}

function bytesOf(values: BackendValues | null, byteCount: number, dtype: TfjsDataType): Uint8Array {
  if (values === null) return new Uint8Array(byteCount);
  if (ArrayBuffer.isView(values)) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  throw new ByteifyError(`The engine does not support ${dtype} tensors.`);
}

/** bfloat16 is the upper half of a float32. */
function widened(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

function valuesOf(bytes: Uint8Array, dtype: number): Float32Array | Int32Array | Uint8Array {
  if (dtype === DataType.float32) return new Float32Array(bytes.buffer);
  if (dtype === DataType.bfloat16) return widened(new Uint16Array(bytes.buffer));
  if (dtype === DataType.int32) return new Int32Array(bytes.buffer);
  return bytes;
}

function isGraph(executor: Executor | Graph): executor is Graph {
  return 'callCompiled' in executor;
}

export class EngineBackend extends KernelBackend {
  readonly #entries = new Map<DataId, Entry>();
  /** The runtime, or the graph of the function that is being traced. */
  #executor: Executor | Graph;
  /** Functions of `fuse`, by key and shapes. */
  readonly #fused = new Map<string, TracedFunction>();
  /** The functions and variables of the calls on other threads. */
  readonly inFlight = trackInFlight();
  /** Whether `fuse` adds its operations inline: within a fused function, and in a trace that does not fuse. */
  #inlines = false;

  constructor(readonly runtime: Runtime) {
    super();
    this.#executor = runtime;
  }

  // ---- storage: the methods that tfjs-core requires of a backend ----

  override write(values: BackendValues, shape: number[], dtype: TfjsDataType): DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: TfjsDataType, refCount: number): void {
    const bytes = bytesOf(values, shape.reduce((a, b) => a * b, 1) * (dtype === 'bool' ? 1 : 4), dtype);
    this.#entries.set(dataId, { tensor: this.#executor.create(bytes, shape, dataTypeOf(dtype)), refCount });
  }

  override readSync(dataId: DataId): BackendValues {
    const { tensor } = this.#entry(dataId);
    return valuesOf(this.#executor.read(tensor), tensor.dtype);
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const entry = this.#entries.get(dataId);
    if (entry === undefined) return true;
    entry.refCount--;
    if (!force && entry.refCount > 0) return false;
    this.#entries.delete(dataId);
    this.#executor.release(entry.tensor);
    return true;
  }

  override incRef(dataId: DataId): void {
    this.#entry(dataId).refCount++;
  }

  override refCount(dataId: DataId): number {
    return this.#entries.get(dataId)?.refCount ?? 0;
  }

  override numDataIds(): number {
    return this.#entries.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {
    for (const { tensor } of this.#entries.values()) this.#executor.release(tensor);
    this.#entries.clear();
  }

  // ---- operations ----

  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly TensorInfo[]): TensorInfo {
    return this.executeMultipleOutputs(name, attributes, inputs, 1)[0]!;
  }

  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly TensorInfo[],
    outputs: number,
  ): TensorInfo[] {
    const natives = inputs.map(({ dataId }) => this.#entry(dataId).tensor);
    return this.#executor.execute(name, attributes, natives, outputs).map((tensor) => this.#adopt(tensor));
  }

  /** Runs with extra int32 constants (axes, shapes, permutations) appended to the inputs; they are released afterwards. */
  withConstants(
    name: string,
    attributes: Attribute[],
    inputs: TensorInfo[],
    constants: readonly Constant[],
  ): TensorInfo {
    const natives = inputs.map(({ dataId }) => this.#entry(dataId).tensor);
    const made = constants.map((value) => this.#constant(value));
    try {
      return this.#adopt(this.#executor.execute(name, attributes, [...natives, ...made], 1)[0]!);
    } finally {
      for (const tensor of made) this.#executor.release(tensor);
    }
  }

  // ---- variables: resources that operations read and change; tfjs-core has no tensor for them ----

  /** Runs an operation on a variable's handle and tensors. */
  executeOnResource(
    name: string,
    attributes: Attribute[],
    resource: NativeTensor,
    inputs: TensorInfo[],
    outputs: number,
  ): TensorInfo[] {
    const natives = inputs.map(({ dataId }) => this.#entry(dataId).tensor);
    return this.#executor.execute(name, attributes, [resource, ...natives], outputs).map((out) => this.#adopt(out));
  }

  /** The TF_DataType of a tensor, which tfjs-core may have no name for. */
  nativeType(dataId: DataId): number {
    return this.#entry(dataId).tensor.dtype;
  }

  // ---- large tensors, in chunks ----

  /** Creates a tensor from its bytes in chunks. */
  async createFromChunks(chunks: AsyncIterable<Uint8Array>, shape: readonly number[]): Promise<Tensor> {
    return this.#tensor(await this.runtime.createFromChunks(chunks, shape, DataType.float32));
  }

  /** Zeros of the given TF_DataType; see Runtime.createZeros. */
  zeros(shape: readonly number[], dtype: number): Tensor {
    return this.#tensor(this.runtime.createZeros(shape, dtype));
  }

  readChunks({ dataId }: TensorInfo, chunkBytes: number): Generator<Uint8Array> {
    return this.runtime.readChunks(this.#entry(dataId).tensor, chunkBytes);
  }

  // ---- functions ----

  /** Whether a function is being traced: operations then add nodes and produce no values. */
  get tracing(): boolean {
    return this.#executor !== this.runtime;
  }

  /**
   * Runs `fn` immediately or, while tracing, as a separate function that XLA compiles, so that its operations become one pass over memory.
   * Calls with the same key and shapes share one function.
   * @param resources variables that `fn` reads and changes; it receives the handles to use.
   */
  fuse(
    key: string,
    resources: readonly NativeTensor[],
    inputs: readonly Tensor[],
    fn: (resources: readonly NativeTensor[], inputs: readonly Tensor[]) => readonly Tensor[],
  ): readonly Tensor[] {
    const outer = this.#executor;
    if (!isGraph(outer) || this.#inlines) return fn(resources, inputs);
    const natives = inputs.map(({ dataId }) => this.#entry(dataId).tensor);
    const signature = [...resources, ...natives].map(({ shape, dtype, valueType }) => ({ shape, dtype, valueType }));
    const id = `${key} ${JSON.stringify(signature)}`;
    let fused = this.#fused.get(id);
    if (fused === undefined) {
      this.#inlines = true;
      try {
        fused = this.#traceOnto(`byteify_fused_${this.#fused.size}`, (graph) => {
          const handles = resources.map((resource) => graph.input(resource));
          return fn(
            handles,
            natives.map((native) => this.#tensor(graph.input(native))),
          );
        });
      } finally {
        this.#inlines = false;
        this.#executor = outer;
      }
      this.#fused.set(id, fused);
    }
    return outer.callCompiled(fused, [...resources, ...natives]).map((native) => this.#tensor(native));
  }

  /**
   * Traces `fn` into a function called `name`.
   * @param options.fuse false keeps the operations of `fuse` inline, so that running the graph compiles nothing
   */
  trace(
    name: string,
    signature: readonly Described[],
    fn: (...inputs: Tensor[]) => readonly Tensor[],
    { fuse = true }: { readonly fuse?: boolean } = {},
  ): TracedFunction {
    if (this.tracing) throw new ByteifyError('A function is already being traced; traces cannot be nested.');
    this.#inlines = !fuse;
    try {
      return this.#traceOnto(name, (graph) =>
        fn(...signature.map(({ shape, dtype }) => this.#tensor(graph.input({ shape, dtype: dataTypeOf(dtype) })))),
      );
    } finally {
      this.#inlines = false;
    }
  }

  #traceOnto(name: string, describe: (graph: Graph) => readonly Tensor[]): TracedFunction {
    const graph = this.runtime.createGraph();
    this.#executor = graph;
    let finished = false;
    try {
      let traced: TracedFunction | null = null;
      tidy(() => {
        const outputs = describe(graph).map(({ dataId }) => this.#entry(dataId).tensor);
        traced = graph.finish(name, outputs);
        finished = true;
      });
      return traced!;
    } finally {
      this.#executor = this.runtime;
      if (!finished) graph.abandon();
    }
  }

  /**
   * Runs a traced function on another thread. The function and its variables may be released meanwhile: that then waits for the call.
   * @param captured the variables that it works on; they must match the shapes and types of those it was traced with
   */
  async callFunction(
    traced: TracedFunction,
    inputs: readonly Tensor[],
    mode: CompileMode,
    captured: readonly NativeTensor[] = traced.captured,
  ): Promise<Tensor[]> {
    const natives = inputs.map(({ dataId }) => this.#entry(dataId).tensor);
    const all = [...natives, ...captured];
    const outputs = await this.inFlight.during([traced, ...captured], () => this.runtime.call(traced, all, mode));
    return outputs.map((output) => this.#tensor(output));
  }

  /** See Runtime.sumOverProcesses. */
  async sumOverProcesses({ dataId }: TensorInfo, key: number): Promise<Tensor> {
    return this.#tensor(await this.runtime.sumOverProcesses!(this.#entry(dataId).tensor, key));
  }

  #tensor(native: NativeTensor): Tensor {
    const { dataId, shape, dtype } = this.#adopt(native);
    return engine().makeTensorFromDataId(dataId, shape, dtype);
  }

  #constant(value: Constant): NativeTensor {
    const values = Int32Array.from(Array.isArray(value) ? value : [value as number]);
    return this.#executor.create(
      new Uint8Array(values.buffer),
      Array.isArray(value) ? [value.length] : [],
      DataType.int32,
    );
  }

  #adopt(tensor: NativeTensor): TensorInfo {
    const dataId = {};
    this.#entries.set(dataId, { tensor, refCount: 1 });
    return { dataId, shape: tensor.shape, dtype: tfjsTypeOf(tensor.dtype) };
  }

  #entry(dataId: DataId): Entry {
    const entry = this.#entries.get(dataId);
    if (entry === undefined) throw new ByteifyError('A tensor was used after it was disposed.');
    return entry;
  }
}

/** The backend of the running engine. @throws ByteifyError when the engine is not started */
export function engineBackend(): EngineBackend {
  const current = backend();
  if (current instanceof EngineBackend) return current;
  throw new ByteifyError('The engine is not started.', { hint: 'Call startEngine() first.' });
}

/** An int32 scalar, or an int32 vector. */
export type Constant = number | readonly number[];
