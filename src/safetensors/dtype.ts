/** @module Element types of safetensors files, and float conversions in plain loops. */
import { ByteifyError } from '../errors.js';

const BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type Dtype = keyof typeof BYTES;

export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(BYTES, value);
}

/** Bytes of one element. */
export function dtypeBytes(dtype: Dtype): number {
  return BYTES[dtype];
}

/** Sees bytes as elements; copies only when they do not lie on the element's boundary. */
function aligned(bytes: Uint8Array, elementBytes: number): { buffer: ArrayBuffer; offset: number; count: number } {
  const whole = bytes.byteOffset % elementBytes === 0 ? bytes : bytes.slice();
  return { buffer: whole.buffer as ArrayBuffer, offset: whole.byteOffset, count: bytes.byteLength / elementBytes };
}

function fromBfloat16(bytes: Uint8Array): Float32Array {
  const { buffer, offset, count } = aligned(bytes, 2);
  const halves = new Uint16Array(buffer, offset, count);
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/** Every half-precision pattern's value. */
let halfValues: Float32Array | null = null;

function halfTable(): Float32Array {
  halfValues ??= Float32Array.from({ length: 65_536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return halfValues;
}

function fromHalf(bytes: Uint8Array): Float32Array {
  const { buffer, offset, count } = aligned(bytes, 2);
  const table = halfTable();
  const halves = new Uint16Array(buffer, offset, count);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = table[halves[i]!]!;
  return values;
}

/**
 * Values of F64, F32, F16 or BF16 bytes. F32 bytes on a 4-byte boundary are seen in place, not copied.
 * @throws ByteifyError for types that are not floats.
 */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  if (dtype === 'F32') {
    const { buffer, offset, count } = aligned(bytes, 4);
    return new Float32Array(buffer, offset, count);
  }
  if (dtype === 'BF16') return fromBfloat16(bytes);
  if (dtype === 'F16') return fromHalf(bytes);
  if (dtype === 'F64') {
    const { buffer, offset, count } = aligned(bytes, 8);
    return Float32Array.from(new Float64Array(buffer, offset, count));
  }
  throw new ByteifyError(`tensors of type ${dtype} hold no floating-point numbers that can be used`);
}

const QUIET = 0x40;

/** Round to nearest, ties to even; a NaN stays one. */
function toBfloat16(values: Float32Array): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = notANumber ? (word >>> 16) | QUIET : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(halves.buffer);
}

/** The half-precision bits nearest to a number, ties to even. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65_520) return sign | 0x7c00; // half-way to the next power and beyond: infinity
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const unit = 2 ** (exponent - 10);
  const scaled = size / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // A fraction that rounds up to the next power carries into the exponent by itself.
  return sign | (size < 2 ** -14 ? rounded : ((exponent + 15) << 10) + (rounded - 1024));
}

function toHalf(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, halfBits).buffer);
}

/** Bytes of float32 values in a narrower type, rounded to nearest even; F32 bytes are the values' own. */
export function fromFloat32(values: Float32Array, dtype: 'F32' | 'BF16' | 'F16'): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return dtype === 'BF16' ? toBfloat16(values) : toHalf(values);
}
