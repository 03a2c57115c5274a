/** @module The header of a GGUF file: key-values and the table of tensors (the format's own document, gguf.md). */
import type { FileHandle } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';

export type GgufValue = number | bigint | boolean | string | GgufValue[];

export interface GgufTensor {
  readonly name: string;
  /** Fastest first, as the file has them. */
  readonly dims: readonly number[];
  readonly type: number;
  /** Bytes from the beginning of the data. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly keyValues: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  readonly alignment: number;
  /** Bytes before the data. */
  readonly dataStart: number;
}

const MAGIC = 0x46554747;
/** A key-value is at least 13 bytes, a tensor 32; real files have some dozens and some thousands. */
const MAX_COUNT = 1_000_000;
const MAX_STRING_BYTES = 64 * 2 ** 20;
/** A vocabulary has some 100,000 tokens. */
const MAX_ARRAY = 64 * 2 ** 20;
const MAX_DIMS = 8;
const MAX_DEPTH = 4;
const PAGE_BYTES = 4 * 2 ** 20;
const STRING = 8;
const ARRAY = 9;

export type Refuse = (what: string) => never;

/** Reads forward through a file a page at a time. */
function cursor(file: FileHandle, fileBytes: number, refuse: Refuse) {
  let position = 0;
  let page = Buffer.alloc(0);
  let pageStart = 0;
  const take = async (count: number): Promise<Buffer> => {
    if (position + count > fileBytes) return refuse('it ends inside its header');
    if (position + count > pageStart + page.length) {
      page = Buffer.alloc(Math.min(Math.max(PAGE_BYTES, count), fileBytes - position));
      pageStart = position;
      let done = 0;
      while (done < page.length) {
        const { bytesRead } = await file.read(page, done, page.length - done, pageStart + done);
        if (bytesRead === 0) return refuse('it ends inside its header');
        done += bytesRead;
      }
    }
    const at = position - pageStart;
    position += count;
    return page.subarray(at, at + count);
  };
  const u32 = async () => (await take(4)).readUInt32LE();
  const u64 = async (what: string, limit: number) => {
    const value = (await take(8)).readBigUInt64LE();
    return value > BigInt(limit) ? refuse(`${what} of ${value} is beyond reason`) : Number(value);
  };
  const text = async () => (await take(await u64('a string length', MAX_STRING_BYTES))).toString('utf8');
  return { take, u32, u64, text, position: () => position };
}

type Cursor = ReturnType<typeof cursor>;

/** Values by type number, strings and arrays aside. */
const SCALARS: Readonly<Record<number, { bytes: number; read: (raw: Buffer) => GgufValue }>> = {
  0: { bytes: 1, read: (raw) => raw.readUInt8() },
  1: { bytes: 1, read: (raw) => raw.readInt8() },
  2: { bytes: 2, read: (raw) => raw.readUInt16LE() },
  3: { bytes: 2, read: (raw) => raw.readInt16LE() },
  4: { bytes: 4, read: (raw) => raw.readUInt32LE() },
  5: { bytes: 4, read: (raw) => raw.readInt32LE() },
  6: { bytes: 4, read: (raw) => raw.readFloatLE() },
  7: { bytes: 1, read: (raw) => raw.readUInt8() !== 0 },
  10: { bytes: 8, read: (raw) => raw.readBigUInt64LE() },
  11: { bytes: 8, read: (raw) => raw.readBigInt64LE() },
  12: { bytes: 8, read: (raw) => raw.readDoubleLE() },
};

async function readValue(from: Cursor, type: number, refuse: Refuse, depth = 0): Promise<GgufValue> {
  if (type === STRING) return from.text();
  if (type === ARRAY) {
    if (depth === MAX_DEPTH) return refuse('its arrays are nested too deeply');
    const element = await from.u32();
    const count = await from.u64('an array length', MAX_ARRAY);
    const scalar = SCALARS[element];
    if (scalar !== undefined) {
      const raw = await from.take(count * scalar.bytes);
      return Array.from({ length: count }, (_, i) => scalar.read(raw.subarray(i * scalar.bytes)));
    }
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i++) values.push(await readValue(from, element, refuse, depth + 1));
    return values;
  }
  const scalar = SCALARS[type];
  return scalar === undefined
    ? refuse(`it has a value of the unknown type ${type}`)
    : scalar.read(await from.take(scalar.bytes));
}

async function readTensor(from: Cursor, refuse: Refuse): Promise<GgufTensor> {
  const name = await from.text();
  const rank = await from.u32();
  if (rank > MAX_DIMS) return refuse(`tensor ${JSON.stringify(name)} has ${rank} dimensions`);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) dims.push(await from.u64('a dimension', 2 ** 40));
  const type = await from.u32();
  return { name, dims, type, offset: await from.u64('a tensor offset', Number.MAX_SAFE_INTEGER) };
}

/** @throws ByteifyError when the file is not a GGUF of version 2 or 3, or its header is not sound. */
export async function readGgufHeader(file: FileHandle, fileBytes: number, path: string): Promise<GgufHeader> {
  const refuse: Refuse = (what) => {
    throw new ByteifyError(`${path} is not a sound GGUF file: ${what}.`, { hint: 'Download the file again.' });
  };
  const from = cursor(file, fileBytes, refuse);
  if (fileBytes < 24 || (await from.u32()) !== MAGIC) return refuse('it does not begin with "GGUF"');
  const version = await from.u32();
  if (version !== 2 && version !== 3) {
    return refuse(
      version > 0xffff
        ? 'it is big-endian, which is not read here'
        : `its version is ${version}, and 2 and 3 are read here`,
    );
  }
  const tensorCount = await from.u64('a tensor count', MAX_COUNT);
  const valueCount = await from.u64('a count of key-values', MAX_COUNT);
  const keyValues = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = await from.text();
    if (keyValues.has(key)) return refuse(`it gives the key ${JSON.stringify(key)} twice`);
    keyValues.set(key, await readValue(from, await from.u32(), refuse));
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(await readTensor(from, refuse));
  const alignment = Number(keyValues.get('general.alignment') ?? 32);
  if (!Number.isSafeInteger(alignment) || alignment < 1 || alignment > 2 ** 20)
    return refuse(`its alignment is ${alignment}`);
  return { keyValues, tensors, alignment, dataStart: Math.ceil(from.position() / alignment) * alignment };
}
