/** @module Tensors of an eager context: copies values in and out, and counts the live handles. */
import { ByteifyError } from '../../errors.js';
import { bytesOfType } from '../data-type.js';
import type { NativeTensor, Pointer, Runtime } from '../executor.js';
import { fillFromChunks } from '../fill-from-chunks.js';
import { checkStatus } from './check-status.js';
import type { TensorFlowApi } from './native.js';
import { dims } from './write-attributes.js';

export interface EagerTensors
  extends Pick<Runtime, 'create' | 'createFromChunks' | 'read' | 'readChunks' | 'release' | 'liveHandles'> {
  /** A tensor for a handle that TensorFlow returned. */
  describe(handle: Pointer): NativeTensor;
  /** A tensor for a TF_Tensor, which is released. */
  adopt(tensor: Pointer, shape: readonly number[], dtype: number): NativeTensor;
  /** Its handle. @throws ByteifyError for a traced or disposed tensor, on which TensorFlow would crash. */
  handleOf(tensor: NativeTensor): Pointer;
}

export function createEagerTensors(api: TensorFlowApi, status: Pointer): EagerTensors {
  const check = (what: string) => checkStatus(api, status, what);
  let live = 0;
  const released = new WeakSet<NativeTensor>();

  function describe(handle: Pointer): NativeTensor {
    live++;
    const rank = api.TFE_TensorHandleNumDims(handle, status);
    const shape = new Array<number>(rank);
    for (let i = 0; i < rank; i++) shape[i] = Number(api.TFE_TensorHandleDim(handle, i, status));
    return { handle, shape, dtype: api.TFE_TensorHandleDataType(handle) };
  }

  function adopt(tensor: Pointer, shape: readonly number[], dtype: number): NativeTensor {
    const handle = api.TFE_NewTensorHandle(tensor, status);
    api.TF_DeleteTensor(tensor);
    check('TFE_NewTensorHandle');
    live++;
    return { handle, shape: [...shape], dtype };
  }

  function handleOf(tensor: NativeTensor): Pointer {
    if (tensor.output !== undefined) {
      throw new ByteifyError(`A traced tensor [${tensor.shape.join(', ')}] was used after its trace.`, {
        hint: 'Return it as a result, and use the value that the call returns.',
      });
    }
    if (released.has(tensor)) throw new ByteifyError('A tensor or variable was used after it was disposed.');
    return tensor.handle;
  }

  function resolve(handle: Pointer): Pointer {
    const tensor = api.TFE_TensorHandleResolve(handle, status);
    check('TFE_TensorHandleResolve');
    return tensor;
  }

  return {
    describe,
    adopt,
    handleOf,
    create(bytes, shape, dtype) {
      const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, bytes.byteLength);
      if (bytes.byteLength > 0) api.copyToNative(api.TF_TensorData(tensor), bytes, bytes.byteLength);
      return adopt(tensor, shape, dtype);
    },
    createFromChunks: async (chunks, shape, dtype) =>
      adopt(await filledTensor(api, chunks, shape, dtype), shape, dtype),
    read(given) {
      const tensor = resolve(handleOf(given));
      const bytes = new Uint8Array(Number(api.TF_TensorByteSize(tensor)));
      if (bytes.length > 0) api.copyFromNative(bytes, api.TF_TensorData(tensor), bytes.length);
      api.TF_DeleteTensor(tensor);
      return bytes;
    },
    readChunks: (given, chunkBytes) => chunksOfTensor(api, resolve(handleOf(given)), chunkBytes),
    release(tensor) {
      if (tensor.output !== undefined || released.has(tensor)) return;
      released.add(tensor);
      live--;
      api.TFE_DeleteTensorHandle(tensor.handle);
    },
    liveHandles: () => live,
  };
}

/** Fills a TF_Tensor from consecutive chunks. @throws ByteifyError when their total length differs from the tensor's size. */
async function filledTensor(
  api: TensorFlowApi,
  chunks: AsyncIterable<Uint8Array>,
  shape: readonly number[],
  dtype: number,
): Promise<Pointer> {
  const byteCount = shape.reduce((product, extent) => product * extent, bytesOfType(dtype));
  const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, byteCount);
  const data = BigInt(api.TF_TensorData(tensor));
  try {
    await fillFromChunks(chunks, byteCount, (chunk, offset) =>
      api.copyToNative(data + BigInt(offset), chunk, chunk.byteLength),
    );
  } catch (error) {
    api.TF_DeleteTensor(tensor);
    throw error;
  }
  return tensor;
}

/** Yields the bytes of a TF_Tensor, which is released afterwards. */
function* chunksOfTensor(api: TensorFlowApi, tensor: Pointer, chunkBytes: number): Generator<Uint8Array> {
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
}
