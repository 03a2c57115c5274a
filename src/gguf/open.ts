/** @module Opens a GGUF file: tensors under its own names, quantised ones read as float32. */
import { type FileHandle, open } from 'node:fs/promises';
import { ByteifyError, messageOf } from '../errors.js';
import {
  checkRange,
  dtypeBytes,
  elementCount,
  readFully,
  type TensorInfo,
  type TensorReader,
  tensorBytes,
} from '../safetensors/index.js';
import { type GgufHeader, type GgufTensor, type GgufValue, readGgufHeader } from './header.js';
import { QUANTISATIONS } from './quants.js';
import { PLAIN_TYPES, TENSOR_TYPES } from './types.js';

export interface GgufFile extends TensorReader {
  readonly keyValues: ReadonlyMap<string, GgufValue>;
  /** Tensor name -> the type it is stored as: `Q8_0`. */
  readonly storedTypes: ReadonlyMap<string, string>;
}

interface Placed {
  readonly info: TensorInfo;
  readonly type: string;
  /** Bytes from the beginning of the file. */
  readonly begin: number;
  readonly storedBytes: number;
}

function storedBytes(tensor: GgufTensor, type: string, path: string): number {
  const count = elementCount(tensor.dims);
  const plain = PLAIN_TYPES[type];
  if (plain !== undefined) return count * dtypeBytes(plain);
  const { blockElements, blockBytes } = QUANTISATIONS[type]!;
  if ((tensor.dims[0] ?? 0) % blockElements !== 0) {
    throw new ByteifyError(`${path}: the rows of ${tensor.name} are not whole blocks of ${type}.`);
  }
  return (count / blockElements) * blockBytes;
}

function place(tensor: GgufTensor, { dataStart, alignment }: GgufHeader, fileBytes: number, path: string): Placed {
  const type = TENSOR_TYPES[tensor.type] ?? `number ${tensor.type}`;
  if (PLAIN_TYPES[type] === undefined && QUANTISATIONS[type] === undefined) {
    throw new ByteifyError(`${path}: ${tensor.name} is stored as ${type}, which is not read here.`, {
      hint: `Types that are: ${[...Object.keys(PLAIN_TYPES), ...Object.keys(QUANTISATIONS)].join(', ')}.`,
    });
  }
  const size = storedBytes(tensor, type, path);
  const begin = dataStart + tensor.offset;
  if (!Number.isSafeInteger(size) || begin + size > fileBytes || tensor.offset % alignment !== 0) {
    throw new ByteifyError(`${path} is not a sound GGUF file: ${tensor.name} lies outside its ${fileBytes} bytes.`, {
      hint: 'Download the file again.',
    });
  }
  const info = { name: tensor.name, dtype: PLAIN_TYPES[type] ?? 'F32', shape: [...tensor.dims].reverse() } as const;
  return { info, type, begin, storedBytes: size };
}

function placeAll(header: GgufHeader, fileBytes: number, path: string): Map<string, Placed> {
  const placed = header.tensors.map((tensor) => place(tensor, header, fileBytes, path));
  const names = new Map(placed.map((tensor) => [tensor.info.name, tensor]));
  const refuse = (what: string): never => {
    throw new ByteifyError(`${path} is not a sound GGUF file: ${what}.`, { hint: 'Download the file again.' });
  };
  if (names.size !== placed.length) refuse('it names a tensor twice');
  const inOrder = [...placed].sort((a, b) => a.begin - b.begin);
  inOrder.forEach(({ info, begin }, i) => {
    const before = inOrder[i - 1];
    if (before !== undefined && before.begin + before.storedBytes > begin)
      refuse(`${info.name} overlaps ${before.info.name}`);
  });
  return names;
}

/** A range of a quantised tensor's float32 bytes: the blocks that cover it are dequantised. */
async function readQuantised(
  file: FileHandle,
  tensor: Placed,
  range: { offset: number; length: number },
  path: string,
): Promise<Uint8Array> {
  if (range.offset % 4 !== 0 || range.length % 4 !== 0)
    throw new ByteifyError('ranges of dequantised tensors are whole floats');
  const { blockElements, blockBytes, dequantise } = QUANTISATIONS[tensor.type]!;
  const blockFloats = blockElements * 4;
  const first = Math.floor(range.offset / blockFloats);
  const count = Math.ceil((range.offset + range.length) / blockFloats) - first;
  const stored = new Uint8Array(count * blockBytes);
  await readFully(file, stored, tensor.begin + first * blockBytes, path);
  const view = new DataView(stored.buffer);
  const values = new Float32Array(count * blockElements);
  for (let block = 0; block < count; block++) dequantise(view, block * blockBytes, values, block * blockElements);
  return new Uint8Array(values.buffer, range.offset - first * blockFloats, range.length);
}

/** @throws ByteifyError when the file is absent, not sound, or holds a type that is not read. */
export async function openGguf(path: string): Promise<GgufFile> {
  const file = await open(path, 'r').catch((cause) => {
    throw new ByteifyError(`${path} cannot be opened: ${messageOf(cause)}.`, { cause });
  });
  try {
    const { size } = await file.stat();
    const header = await readGgufHeader(file, size, path);
    const tensors = placeAll(header, size, path);
    return {
      keyValues: header.keyValues,
      tensors: new Map([...tensors].map(([name, { info }]) => [name, info])),
      storedTypes: new Map([...tensors].map(([name, { type }]) => [name, type])),
      metadata: {},
      async read(name, range) {
        const tensor = tensors.get(name);
        if (tensor === undefined) throw new ByteifyError(`${path} lacks the tensor ${name}.`);
        const whole = range ?? { offset: 0, length: tensorBytes(tensor.info) };
        checkRange(name, tensorBytes(tensor.info), whole);
        if (PLAIN_TYPES[tensor.type] === undefined) return readQuantised(file, tensor, whole, path);
        const bytes = new Uint8Array(whole.length);
        await readFully(file, bytes, tensor.begin + whole.offset, path);
        return bytes;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
