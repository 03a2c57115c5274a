/** @module The header of a safetensors file: 8 bytes of length, JSON, then the tensors' bytes without gaps. Everything is validated. */
import { ByteifyError } from '../errors.js';
import { counted } from '../ui/format.js';
import { isDtype } from './dtype.js';
import { quoted } from './quoted.js';
import { parseStrictObject, type Refuse } from './strict-json.js';
import { type TensorInfo, tensorBytes } from './types.js';

/** The format's own limit. The header of a file with 1,000,000 tensors takes about 100 MB. */
export const MAX_HEADER_BYTES = 100_000_000;
export const LENGTH_BYTES = 8;
const MAX_RANK = 32;
/** The first byte of the JSON, right after the length. */
export const OPENING_BRACE = 0x7b;

export interface PlacedTensor extends TensorInfo {
  /** Byte offset from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

function refuser(path: string): Refuse {
  return (what) => {
    throw new ByteifyError(`${path} is not a valid safetensors file: ${what}.`, {
      hint: 'Download or write the file again.',
    });
  };
}

/** The header's length, read from the first 8 bytes. */
export function headerLength(prefix: Uint8Array, fileBytes: number, path: string): number {
  const refuse = refuser(path);
  if (prefix.length < LENGTH_BYTES) return refuse('it is shorter than 8 bytes');
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) return refuse(`its header would be ${length} bytes long`);
  if (Number(length) + LENGTH_BYTES > fileBytes)
    return refuse(`its header of ${length} bytes does not fit into ${fileBytes} bytes`);
  return Number(length);
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseTensor(name: string, entry: unknown, refuse: Refuse): PlacedTensor {
  const what = `tensor ${quoted(name)}`;
  if (typeof entry !== 'object' || entry === null) return refuse(`${what} has no description`);
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (!isDtype(dtype)) return refuse(`${what} has the unknown type ${quoted(dtype)}`);
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isOffset))
    return refuse(`${what} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isOffset))
    return refuse(`${what} has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  const bytes = tensorBytes({ dtype, shape });
  // The product in bits must be exact too.
  if (!(bytes * 8 <= Number.MAX_SAFE_INTEGER)) return refuse(`${what} has an impossible shape`);
  if (!Number.isInteger(bytes)) return refuse(`the packed elements of ${what} do not fill whole bytes`);
  if (end - begin !== bytes) return refuse(`${what} needs ${bytes} bytes and its data_offsets span ${end - begin}`);
  return { name, dtype, shape, begin, end };
}

function parseMetadata(entry: unknown, refuse: Refuse): Record<string, string> {
  // Python's library also accepts null for no metadata.
  if (entry === undefined || entry === null) return {};
  const isObject = typeof entry === 'object' && entry !== null && !Array.isArray(entry);
  const isText = isObject && Object.values(entry).every((value) => typeof value === 'string');
  return isText ? (entry as Record<string, string>) : refuse('its __metadata__ does not map strings to strings');
}

/**
 * Parses and validates a header.
 * @param bytes the JSON without the length; @param dataBytes the number of bytes after the header; @param path names the file in errors.
 * @throws ByteifyError naming the tensor for anything that would be misread: overlaps, gaps, ranges outside the file, sizes that do
 * not match their shapes, duplicate names.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, path: string): Header {
  const refuse = refuser(path);
  // The format requires the brace first: leading spaces would be a second encoding of the same file.
  if (bytes[0] !== OPENING_BRACE) return refuse('its header does not begin with {');
  const { __metadata__, ...entries } = parseStrictObject(bytes, 'its header', refuse);
  const placed = Object.entries(entries).map(([name, entry]) => parseTensor(name, entry, refuse));
  placed.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of placed) {
    if (end > dataBytes) return refuse(`tensor ${quoted(name)} ends at ${end}, beyond its ${dataBytes} bytes of data`);
    if (begin < covered) return refuse(`tensor ${quoted(name)} overlaps the one before it`);
    if (begin > covered) return refuse(`there is a gap before tensor ${quoted(name)}`);
    covered = end;
  }
  if (covered !== dataBytes)
    return refuse(`it continues for ${counted(dataBytes - covered, 'byte')} after the last tensor`);
  return {
    tensors: new Map(placed.map((tensor) => [tensor.name, tensor])),
    metadata: parseMetadata(__metadata__, refuse),
  };
}
