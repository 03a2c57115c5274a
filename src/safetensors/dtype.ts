/** @module Element types of safetensors files, and conversions between float types in plain loops. */
import { ByteifyError } from '../errors.js';

/** Bits per element of every type in the format (safetensors 0.8, `Dtype` in its tensor.rs). */
const BITS = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2: 8,
  F8_E5M2FNUZ: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
  C64: 64,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
} as const;

export type Dtype = keyof typeof BITS;

export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(BITS, value);
}

/** Bits per element. F4 and F6 elements are packed, so a tensor of them need not fill whole bytes. */
export function dtypeBits(dtype: Dtype): number {
  return BITS[dtype];
}

/** Bytes per element. @throws ByteifyError for a type whose elements are smaller than a byte. */
export function dtypeBytes(dtype: Dtype): number {
  const bytes = BITS[dtype] / 8;
  if (!Number.isInteger(bytes)) throw new ByteifyError(`Elements of type ${dtype} are not whole bytes.`);
  return bytes;
}

/** The types that `toFloat32` can read. */
const FLOATS: readonly Dtype[] = ['F64', 'F32', 'F16', 'BF16'];

/** Whether a tensor of this type contains plain floats: neither integers nor values that need separate scales. */
export function isPlainFloat(dtype: Dtype): boolean {
  return FLOATS.includes(dtype);
}

/** Prepares bytes to be viewed as elements. It copies them only when they are not aligned to the element size. */
function aligned(bytes: Uint8Array, elementBytes: number): { buffer: ArrayBuffer; offset: number; count: number } {
  if (bytes.byteLength % elementBytes !== 0)
    throw new ByteifyError(`${bytes.byteLength} bytes are not whole elements of ${elementBytes} bytes.`);
  // Not bytes.slice(): the slice of a Buffer is a view of the same memory.
  const whole = bytes.byteOffset % elementBytes === 0 ? bytes : new Uint8Array(bytes);
  return { buffer: whole.buffer as ArrayBuffer, offset: whole.byteOffset, count: bytes.byteLength / elementBytes };
}

function fromBfloat16(bytes: Uint8Array): Float32Array {
  const { buffer, offset, count } = aligned(bytes, 2);
  const halves = new Uint16Array(buffer, offset, count);
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/** The value of each half-precision bit pattern; built on first use. */
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

/** The value of a 16-bit pattern in half precision. */
export function halfValue(bits: number): number {
  return halfTable()[bits]!;
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
 * Converts F64, F32, F16 or BF16 bytes to float32 values. F32 bytes on a 4-byte boundary are viewed in place, not copied.
 * @throws ByteifyError for any other type, and when the bytes do not divide into whole elements.
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
    return new Float32Array(new Float64Array(buffer, offset, count));
  }
  throw new ByteifyError(`Tensors of type ${dtype} contain no plain floating-point numbers.`);
}

const QUIET = 0x40;

/** Rounds to nearest, ties to even. NaN stays NaN. */
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

/** 65,520 is halfway between the largest half and the next power of two: values from here on round to infinity. */
const HALF_OVERFLOW = 0x477ff000;
/** 2^-14, the smallest normal half. */
const HALF_NORMAL = 0x38800000;
/** The difference between the exponent biases, 127 - 15, shifted to the exponent field of a float32. */
const HALF_BIAS = 112 << 23;

/** Rounds to nearest, ties to even. NaN stays NaN. Subnormal halves are multiples of 2^-24. */
function toHalf(values: Float32Array): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const sign = (word >>> 16) & 0x8000;
    const size = word & 0x7fffffff;
    if (size > 0x7f800000) halves[i] = sign | 0x7e00;
    else if (size >= HALF_OVERFLOW) halves[i] = sign | 0x7c00;
    // Rounds away the 13 low bits. A carry into the exponent correctly yields the next power of two.
    else if (size >= HALF_NORMAL) halves[i] = sign | ((size - HALF_BIAS + 0xfff + ((size >>> 13) & 1)) >>> 13);
    else halves[i] = sign | roundToEven(Math.abs(values[i]!) * 2 ** 24);
  }
  return new Uint8Array(halves.buffer);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** Converts float32 values to the bytes of another type, rounding to nearest even. For F32 the bytes share the values' memory. */
export function fromFloat32(values: Float32Array, dtype: 'F32' | 'BF16' | 'F16'): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return dtype === 'BF16' ? toBfloat16(values) : toHalf(values);
}
