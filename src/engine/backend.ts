/** @module The tfjs-core backend over a TensorFlow runtime: tensors' storage and raw operations. The kernels are in kernels.ts. */
import {
  type BackendValues,
  type DataId,
  KernelBackend,
  type TensorInfo,
  type DataType as TfjsDataType,
} from '@tensorflow/tfjs-core';
import { ByteifyError } from '../errors.js';
import { type Attribute, dataTypeOf } from './attributes.js';
import { DataType } from './native.js';
import type { NativeTensor, Runtime } from './runtime.js';

interface Entry {
  readonly tensor: NativeTensor;
  refCount: number;
}

function tfjsTypeOf(dtype: number): TfjsDataType {
  switch (dtype) {
    case DataType.float32:
      return 'float32';
    case DataType.int32:
      return 'int32';
    case DataType.bool:
      return 'bool';
  }
  throw new ByteifyError(`an operation returned TF_DataType ${dtype}, which the engine does not hold`);
}

function bytesOf(values: BackendValues | null, byteCount: number, dtype: TfjsDataType): Uint8Array {
  if (values === null) return new Uint8Array(byteCount);
  if (ArrayBuffer.isView(values)) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  throw new ByteifyError(`the engine holds no ${dtype} tensors`);
}

function valuesOf(bytes: Uint8Array, dtype: number): Float32Array | Int32Array | Uint8Array {
  if (dtype === DataType.float32) return new Float32Array(bytes.buffer);
  if (dtype === DataType.int32) return new Int32Array(bytes.buffer);
  return bytes;
}

export class TensorFlowBackend extends KernelBackend {
  readonly #entries = new Map<DataId, Entry>();

  constructor(readonly runtime: Runtime) {
    super();
  }

  // ---- storage: what tfjs-core asks of a backend ----

  override write(values: BackendValues, shape: number[], dtype: TfjsDataType): DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: TfjsDataType, refCount: number): void {
    const bytes = bytesOf(values, shape.reduce((a, b) => a * b, 1) * (dtype === 'bool' ? 1 : 4), dtype);
    this.#entries.set(dataId, { tensor: this.runtime.create(bytes, shape, dataTypeOf(dtype)), refCount });
  }

  override readSync(dataId: DataId): BackendValues {
    const { tensor } = this.#entry(dataId);
    return valuesOf(this.runtime.read(tensor), tensor.dtype);
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
    this.runtime.release(entry.tensor);
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
    for (const { tensor } of this.#entries.values()) this.runtime.release(tensor);
    this.#entries.clear();
  }

  // ---- operations: the same two calls as tfjs-node's backend has ----

  executeSingleOutput(name: string, attributes: Attribute[], inputs: TensorInfo[]): TensorInfo {
    return this.executeMultipleOutputs(name, attributes, inputs, 1)[0]!;
  }

  executeMultipleOutputs(name: string, attributes: Attribute[], inputs: TensorInfo[], outputs: number): TensorInfo[] {
    const natives = inputs.map(({ dataId }) => this.#entry(dataId).tensor);
    return this.runtime.execute(name, attributes, natives, outputs).map((tensor) => this.#adopt(tensor));
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
      return this.#adopt(this.runtime.execute(name, attributes, [...natives, ...made], 1)[0]!);
    } finally {
      for (const tensor of made) this.runtime.release(tensor);
    }
  }

  #constant(value: Constant): NativeTensor {
    const values = Int32Array.from(Array.isArray(value) ? value : [value as number]);
    return this.runtime.create(
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
    if (entry === undefined) throw new ByteifyError('a tensor was used after it was disposed');
    return entry;
  }
}

/** An int32 scalar, or an int32 vector. */
export type Constant = number | readonly number[];
