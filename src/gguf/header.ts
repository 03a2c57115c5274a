/** @module The header of a GGUF file: key-value pairs and the tensor table (gguf.md, the format's specification). */
import type { FileHandle } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';
import { quoted, type Refuse } from '../safetensors/index.js';
import { type Cursor, cursorOf, type FileBounds } from './cursor.js';
import { type GgufValue, numberIn } from './values.js';

export interface GgufTensor {
  readonly name: string;
  /** Fastest-varying dimension first, as in the file. */
  readonly dims: readonly number[];
  readonly type: number;
  /** Byte offset from the beginning of the data. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly keyValues: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  readonly alignment: number;
  /** Byte offset of the data in the file. */
  readonly dataStart: number;
}

const MAGIC = 0x46554747;
/** Real files have dozens of key-value pairs and a few thousand tensors. */
const MAX_COUNT = 1_000_000;
/** The format's own limit for keys. llama.cpp's limit for tensor names is 63. */
const MAX_NAME_BYTES = 65_535;
/** A chat template takes a few kilobytes. */
const MAX_STRING_BYTES = 16 * 2 ** 20;
/** A vocabulary has on the order of 100,000 tokens. */
const MAX_ARRAY = 16 * 2 ** 20;
const MAX_DIMS = 8;
const MAX_DIM = 2 ** 40;
const MAX_DEPTH = 4;
const DEFAULT_ALIGNMENT = 32;
const STRING = 8;
const ARRAY = 9;

/** Scalar types by type number, that is, all but strings and arrays. */
const SCALARS: ReadonlyMap<number, { bytes: number; read: (raw: Buffer, at: number) => GgufValue }> = new Map([
  [0, { bytes: 1, read: (raw, at) => raw.readUInt8(at) }],
  [1, { bytes: 1, read: (raw, at) => raw.readInt8(at) }],
  [2, { bytes: 2, read: (raw, at) => raw.readUInt16LE(at) }],
  [3, { bytes: 2, read: (raw, at) => raw.readInt16LE(at) }],
  [4, { bytes: 4, read: (raw, at) => raw.readUInt32LE(at) }],
  [5, { bytes: 4, read: (raw, at) => raw.readInt32LE(at) }],
  [6, { bytes: 4, read: (raw, at) => raw.readFloatLE(at) }],
  [7, { bytes: 1, read: (raw, at) => raw.readUInt8(at) !== 0 }],
  [10, { bytes: 8, read: (raw, at) => raw.readBigUInt64LE(at) }],
  [11, { bytes: 8, read: (raw, at) => raw.readBigInt64LE(at) }],
  [12, { bytes: 8, read: (raw, at) => raw.readDoubleLE(at) }],
]);

/** Reads the numbers and strings of a header and checks that each is within bounds. */
function fields(from: Cursor, refuse: Refuse) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const u32 = async () => (await from.take(4)).readUInt32LE();
  const u64 = async (what: string, limit: number) => {
    const value = (await from.take(8)).readBigUInt64LE();
    return value > BigInt(limit) ? refuse(`${what} of ${value} exceeds the limit of ${limit}`) : Number(value);
  };
  const text = async (what: string, limit: number) => {
    const bytes = await from.take(await u64(`the length of ${what}`, limit));
    try {
      return decoder.decode(bytes);
    } catch {
      return refuse(`${what} is not UTF-8`);
    }
  };
  const value = async (type: number, key: string, depth = 0): Promise<GgufValue> => {
    if (type === STRING) return text(`a string of ${key}`, MAX_STRING_BYTES);
    if (type === ARRAY) return list(key, depth);
    const scalar = SCALARS.get(type) ?? refuse(`the value of ${key} has the unknown type ${type}`);
    return scalar.read(await from.take(scalar.bytes), 0);
  };
  const list = async (key: string, depth: number): Promise<GgufValue[]> => {
    if (depth === MAX_DEPTH) return refuse(`the lists of ${key} are nested too deeply`);
    const type = await u32();
    const count = await u64(`the length of ${key}`, MAX_ARRAY);
    const scalar = SCALARS.get(type);
    if (scalar !== undefined) {
      const raw = await from.take(count * scalar.bytes);
      return Array.from({ length: count }, (_, i) => scalar.read(raw, i * scalar.bytes));
    }
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i++) values.push(await value(type, key, depth + 1));
    return values;
  };
  return { u32, u64, text, value };
}

type Fields = ReturnType<typeof fields>;

async function readTensor({ text, u32, u64 }: Fields, refuse: Refuse): Promise<GgufTensor> {
  const name = await text('a tensor’s name', MAX_NAME_BYTES);
  const what = `tensor ${quoted(name)}`;
  const rank = await u32();
  if (rank > MAX_DIMS) return refuse(`${what} has ${rank} dimensions`);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) dims.push(await u64(`a dimension of ${what}`, MAX_DIM));
  return { name, dims, type: await u32(), offset: await u64(`the offset of ${what}`, Number.MAX_SAFE_INTEGER) };
}

function alignmentOf(keyValues: ReadonlyMap<string, GgufValue>, refuse: Refuse): number {
  const alignment = numberIn(keyValues.get('general.alignment') ?? DEFAULT_ALIGNMENT);
  const isPower = alignment !== null && alignment >= 1 && alignment <= 2 ** 20 && Math.log2(alignment) % 1 === 0;
  return isPower ? alignment : refuse('its general.alignment is not a power of two');
}

/** Refuses files that are valid but not supported. */
function checkVersion(version: number, path: string): void {
  if (version === 2 || version === 3) return;
  // The high half of a small number that was written with its highest byte first.
  const isBigEndian = version % 0x10000 === 0 && version > 0;
  throw new ByteifyError(
    isBigEndian
      ? `${path} is a GGUF file with big-endian numbers, which are not supported.`
      : `${path} is a GGUF file of version ${version}; only versions 2 and 3 are supported.`,
    { hint: 'Convert the model again with a current version of llama.cpp, or download a current GGUF file.' },
  );
}

/** Reads a GGUF header. @throws ByteifyError when the file is not GGUF version 2 or 3, or its header is invalid. */
export async function readGgufHeader(file: FileHandle, bounds: FileBounds): Promise<GgufHeader> {
  const { refuse } = bounds;
  const from = cursorOf(file, bounds);
  const read = fields(from, refuse);
  if (bounds.fileBytes < 4 || (await read.u32()) !== MAGIC) return refuse('it does not begin with "GGUF"');
  checkVersion(await read.u32(), bounds.path);
  const tensorCount = await read.u64('a tensor count', MAX_COUNT);
  const valueCount = await read.u64('a key-value count', MAX_COUNT);
  const keyValues = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = await read.text('a key', MAX_NAME_BYTES);
    if (keyValues.has(key)) return refuse(`it gives the key ${quoted(key)} twice`);
    keyValues.set(key, await read.value(await read.u32(), quoted(key)));
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(await readTensor(read, refuse));
  const alignment = alignmentOf(keyValues, refuse);
  return { keyValues, tensors, alignment, dataStart: Math.ceil(from.position() / alignment) * alignment };
}
