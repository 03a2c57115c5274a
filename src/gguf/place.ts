/** @module Where each tensor of a GGUF file is stored, checked before anything is read. */
import { dtypeBytes, elementCount, quoted, type Refuse, type TensorInfo, tensorBytes } from '../safetensors/index.js';
import type { GgufHeader, GgufTensor } from './header.js';
import { QUANTISATIONS } from './quants.js';
import { PLAIN_TYPES, TENSOR_TYPES } from './types.js';

export interface Placed {
  readonly info: TensorInfo;
  /** The storage type, such as `Q8_0`. */
  readonly type: string;
  /** Byte offset from the beginning of the file. */
  readonly begin: number;
  readonly storedBytes: number;
}

function storedBytes(tensor: GgufTensor, type: string, refuse: Refuse): number {
  const count = elementCount(tensor.dims);
  const plain = PLAIN_TYPES.get(type);
  if (plain !== undefined) return count * dtypeBytes(plain);
  const { blockElements, blockBytes } = QUANTISATIONS.get(type)!;
  if ((tensor.dims[0] ?? 1) % blockElements !== 0)
    return refuse(`the rows of tensor ${quoted(tensor.name)} are not whole blocks of ${type}`);
  return (count / blockElements) * blockBytes;
}

function place(tensor: GgufTensor, header: GgufHeader, fileBytes: number, refuse: Refuse): Placed {
  const what = `tensor ${quoted(tensor.name)}`;
  const type = TENSOR_TYPES[tensor.type]!;
  const size = storedBytes(tensor, type, refuse);
  const dtype = PLAIN_TYPES.get(type) ?? 'F32';
  const info: TensorInfo = { name: tensor.name, dtype, shape: [...tensor.dims].reverse() };
  const begin = header.dataStart + tensor.offset;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(tensorBytes(info)))
    return refuse(`${what} has an impossible shape`);
  if (tensor.offset % header.alignment !== 0)
    return refuse(`${what} does not begin at a multiple of ${header.alignment}`);
  if (begin + size > fileBytes) return refuse(`${what} ends at ${begin + size}, beyond its ${fileBytes} bytes`);
  return { info, type, begin, storedBytes: size };
}

/** Locates every tensor. Calls `refuse`, which throws, for a tensor that is listed twice, ends outside the file, or overlaps another. */
export function placeTensors(header: GgufHeader, fileBytes: number, refuse: Refuse): ReadonlyMap<string, Placed> {
  const placed = new Map<string, Placed>();
  for (const tensor of header.tensors) {
    if (placed.has(tensor.name)) return refuse(`it names tensor ${quoted(tensor.name)} twice`);
    placed.set(tensor.name, place(tensor, header, fileBytes, refuse));
  }
  let covered = 0;
  for (const { info, begin, storedBytes } of [...placed.values()].sort(
    (a, b) => a.begin - b.begin || a.storedBytes - b.storedBytes,
  )) {
    if (begin < covered) return refuse(`tensor ${quoted(info.name)} overlaps the one before it`);
    covered = begin + storedBytes;
  }
  return placed;
}
