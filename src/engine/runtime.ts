/** @module One TensorFlow eager context: tensors in and out, operations by name, and a count of what is alive. */
import { ByteifyError } from '../errors.js';
import { type Attribute, attribute } from './attributes.js';
import { DataType, type GraphOutput, type Pointer, type TensorFlowApi } from './native.js';
import { dims, writeAttributes } from './write-attributes.js';

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

/**
 * tensorflow.ConfigProto with intra_op_parallelism_threads (field 2) and inter_op_parallelism_threads (field 5) as varints. Fused
 * chains run on one thread each, so several must run at once.
 */
function threadConfig(threads: number): Uint8Array {
  return Uint8Array.of(0x10, threads, 0x28, threads);
}

/** From here on zeros are pages that the kernel makes when they are written to. */
const LAZY_ZERO_BYTES = 64 * 2 ** 20;

/** Larger pages than the kernel's only leave more to be written at the ends. */
const PAGE_BYTES = 65_536n;

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

/**
 * Opens an eager context.
 * @param options.threads cap on the threads of one operation (1 to 127); all cores when absent.
 * @throws ByteifyError with TensorFlow's own words when the context cannot be made.
 */
export function createRuntime(api: TensorFlowApi, options: { threads?: number } = {}): Runtime {
  const status = api.TF_NewStatus();
  const check = (what: string) => checkStatus(api, status, what);

  const contextOptions = api.TFE_NewContextOptions();
  if (options.threads !== undefined) {
    const proto = threadConfig(options.threads);
    api.TFE_ContextOptionsSetConfig(contextOptions, proto, proto.length, status);
    check('TFE_ContextOptionsSetConfig');
  }
  const context = api.TFE_NewContext(contextOptions, status);
  api.TFE_DeleteContextOptions(contextOptions);
  check('TFE_NewContext');
  const devices = listDevices();
  const gpu = devices.find((device) => device.type === 'GPU');

  let live = 0;
  const gone = new WeakSet<NativeTensor>();
  const results = new BigUint64Array(256);
  const resultCount = new Int32Array(1);

  function listDevices(): Device[] {
    const list = api.TFE_ContextListDevices(context, status);
    check('TFE_ContextListDevices');
    const found = Array.from({ length: api.TF_DeviceListCount(list) }, (_, i) => ({
      name: api.TF_DeviceListName(list, i, status),
      type: api.TF_DeviceListType(list, i, status),
    }));
    api.TF_DeleteDeviceList(list);
    return found;
  }

  function describe(handle: Pointer): NativeTensor {
    live++;
    const rank = api.TFE_TensorHandleNumDims(handle, status);
    const shape = new Array<number>(rank);
    for (let i = 0; i < rank; i++) shape[i] = Number(api.TFE_TensorHandleDim(handle, i, status));
    return { handle, shape, dtype: api.TFE_TensorHandleDataType(handle) };
  }

  /** A handle for a TF_Tensor, which is released. */
  function adopt(tensor: Pointer, shape: readonly number[], dtype: number): NativeTensor {
    const onHost = api.TFE_NewTensorHandle(tensor, status);
    api.TF_DeleteTensor(tensor);
    check('TFE_NewTensorHandle');
    live++;
    // Integers stay on the host: they are mostly shapes and indices, which GPU kernels want there.
    if (!gpu || dtype === DataType.int32) return { handle: onHost, shape: [...shape], dtype };
    const onDevice = api.TFE_TensorHandleCopyToDevice(onHost, context, gpu.name, status);
    api.TFE_DeleteTensorHandle(onHost);
    check('TFE_TensorHandleCopyToDevice');
    return { handle: onDevice, shape: [...shape], dtype };
  }

  /** Its handle; TensorFlow would crash on one that it does not have. */
  function handleOf(tensor: NativeTensor): Pointer {
    if (tensor.output !== undefined) {
      throw new ByteifyError(`A traced tensor [${tensor.shape.join(', ')}] is used after its trace.`, {
        hint: 'Give it out as a result, and use what the call gives.',
      });
    }
    if (gone.has(tensor)) throw new ByteifyError('a tensor or variable was used after it was disposed');
    return tensor.handle;
  }

  /**
   * A TF_Tensor in memory of TensorFlow's own, whose pages are handed back to the kernel. (Memory of ours would not do: TensorFlow
   * copies a variable that does not own its memory when rows of it are first read or written.) Null where it cannot be done.
   */
  function lazyZeros(shape: readonly number[], dtype: number, byteCount: number): Pointer | null {
    const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, byteCount);
    const data = api.TF_TensorData(tensor);
    // Null when TensorFlow's allocator refuses: Fill then says so in words.
    const begin = BigInt(data ?? 0);
    const end = begin + BigInt(byteCount);
    const firstPage = ((begin + PAGE_BYTES - 1n) / PAGE_BYTES) * PAGE_BYTES;
    const lastPage = (end / PAGE_BYTES) * PAGE_BYTES;
    if (data === null || !api.forgetPages(firstPage, Number(lastPage - firstPage))) {
      api.TF_DeleteTensor(tensor);
      return null;
    }
    for (const [from, to] of [
      [begin, firstPage],
      [lastPage, end],
    ] as const)
      if (to > from) api.copyToNative(from, new Uint8Array(Number(to - from)), Number(to - from));
    return tensor;
  }

  function resolve(handle: Pointer): Pointer {
    const tensor = api.TFE_TensorHandleResolve(handle, status);
    check('TFE_TensorHandleResolve');
    return tensor;
  }

  /** An operation with its inputs and attributes. The caller deletes it. */
  function prepare(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly NativeTensor[],
    on: Pointer,
  ): Pointer {
    const handles = inputs.map(handleOf);
    const op = api.TFE_NewOp(context, name, on);
    if (api.TF_GetCode(on) !== 0) return op;
    for (const handle of handles) api.TFE_OpAddInput(op, handle, on);
    writeAttributes(api, 'TFE_Op', op, attributes, on);
    return op;
  }

  return {
    version: api.TF_Version(),
    devices,
    create(bytes, shape, dtype) {
      const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, bytes.byteLength);
      if (bytes.byteLength > 0) api.copyToNative(api.TF_TensorData(tensor), bytes, bytes.byteLength);
      return adopt(tensor, shape, dtype);
    },
    async createFromChunks(chunks, shape, dtype) {
      const byteCount = shape.reduce((product, extent) => product * extent, bytesOfType(dtype));
      const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, byteCount);
      const data = BigInt(api.TF_TensorData(tensor));
      let filled = 0;
      try {
        for await (const chunk of chunks) {
          if (filled + chunk.byteLength > byteCount)
            throw new ByteifyError('a tensor was given more bytes than it holds');
          api.copyToNative(data + BigInt(filled), chunk, chunk.byteLength);
          filled += chunk.byteLength;
        }
        if (filled !== byteCount) throw new ByteifyError(`a tensor of ${byteCount} bytes was given ${filled}`);
      } catch (error) {
        api.TF_DeleteTensor(tensor);
        throw error;
      }
      return adopt(tensor, shape, dtype);
    },
    createZeros(shape, dtype) {
      const byteCount = shape.reduce((product, extent) => product * extent, bytesOfType(dtype));
      const tensor = byteCount >= LAZY_ZERO_BYTES && !gpu ? lazyZeros(shape, dtype, byteCount) : null;
      if (tensor !== null) return adopt(tensor, shape, dtype);
      const extents = new Uint8Array(Int32Array.from(shape).buffer);
      const zero = new Uint8Array(bytesOfType(dtype));
      const fill = [this.create(extents, [shape.length], DataType.int32), this.create(zero, [], dtype)];
      const types = [attribute.nativeType('T', dtype), attribute.type('index_type', 'int32')];
      const [zeros] = this.execute('Fill', types, fill, 1);
      for (const input of fill) this.release(input);
      return zeros!;
    },
    read(given) {
      const tensor = resolve(handleOf(given));
      const bytes = new Uint8Array(Number(api.TF_TensorByteSize(tensor)));
      if (bytes.length > 0) api.copyFromNative(bytes, api.TF_TensorData(tensor), bytes.length);
      api.TF_DeleteTensor(tensor);
      return bytes;
    },
    *readChunks(given, chunkBytes) {
      const tensor = resolve(handleOf(given));
      try {
        const [data, size] = [BigInt(api.TF_TensorData(tensor)), Number(api.TF_TensorByteSize(tensor))];
        for (let offset = 0; offset < size; offset += chunkBytes) {
          const chunk = new Uint8Array(Math.min(chunkBytes, size - offset));
          api.copyFromNative(chunk, data + BigInt(offset), chunk.length);
          yield chunk;
        }
      } finally {
        api.TF_DeleteTensor(tensor);
      }
    },
    release(tensor) {
      if (tensor.output !== undefined || gone.has(tensor)) return;
      gone.add(tensor);
      live--;
      api.TFE_DeleteTensorHandle(tensor.handle);
    },
    execute(name, attributes, inputs, outputs) {
      const op = prepare(name, attributes, inputs, status);
      check(name);
      resultCount[0] = outputs;
      api.TFE_Execute(op, results, resultCount, status);
      api.TFE_DeleteOp(op);
      check(name);
      return Array.from({ length: outputs }, (_, i) => describe(results[i]!));
    },
    async executeAsync(name, attributes, inputs, outputs) {
      const own = api.TF_NewStatus();
      try {
        const op = prepare(name, attributes, inputs, own);
        checkStatus(api, own, name);
        // Memory that stays where it is while another thread writes to it: a small typed array would lie in V8's moving heap.
        const found = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, outputs)));
        const count = new Int32Array(new ArrayBuffer(4));
        count[0] = outputs;
        await new Promise<void>((resolve, reject) => {
          api.TFE_Execute.async(op, found, count, own, (error) => (error ? reject(error) : resolve()));
        }).finally(() => api.TFE_DeleteOp(op));
        checkStatus(api, own, name);
        if (count[0] !== outputs)
          throw new ByteifyError(`${name} gave ${count[0]} results where ${outputs} were expected`);
        return Array.from({ length: outputs }, (_, i) => describe(found[i]!));
      } finally {
        api.TF_DeleteStatus(own);
      }
    },
    addFunction(fn, name) {
      api.TFE_ContextAddFunction(context, fn, status);
      check('TFE_ContextAddFunction');
      return () => {
        api.TFE_ContextRemoveFunction(context, name, status);
        check('TFE_ContextRemoveFunction');
      };
    },
    liveHandles: () => live,
    leave: api.leave,
  };
}
