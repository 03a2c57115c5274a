/** @module Types of StableHLO by TensorFlow's numbers, and values as literals in StableHLO's text. */
import { ByteifyError } from '../../errors.js';
import { bytesOfType, DataType } from '../data-type.js';

const ELEMENTS: Readonly<Record<number, string>> = {
  [DataType.float32]: 'f32',
  [DataType.float64]: 'f64',
  [DataType.int32]: 'i32',
  [DataType.int64]: 'i64',
  [DataType.uint8]: 'ui8',
  [DataType.int8]: 'i8',
  [DataType.bool]: 'i1',
  [DataType.bfloat16]: 'bf16',
};

/** @throws ByteifyError for a type that no operation of this project has */
export function elementType(dtype: number): string {
  const name = ELEMENTS[dtype];
  if (name === undefined) throw new ByteifyError(`OpenXLA's programs have no tensors of TF_DataType ${dtype}.`);
  return name;
}

/** For example `tensor<2x3xf32>`. */
export const tensorType = (shape: readonly number[], dtype: number): string =>
  `tensor<${[...shape, elementType(dtype)].join('x')}>`;

/** The types of an operation that takes and returns several values. */
export const callType = (from: readonly string[], to: readonly string[]): string =>
  `(${from.join(', ')}) -> ${to.length === 1 ? to[0] : `(${to.join(', ')})`}`;

export const isInteger = (dtype: number): boolean =>
  dtype === DataType.int32 || dtype === DataType.int64 || dtype === DataType.int8 || dtype === DataType.uint8;

/** One number of a type. Infinities are spelled by their bits. */
export function scalarLiteral(value: number, dtype: number): string {
  if (dtype === DataType.bool) return value === 0 ? 'false' : 'true';
  if (isInteger(dtype)) return String(Math.trunc(value));
  if (!Number.isFinite(value)) return infinity(value, dtype);
  const text = value.toExponential();
  return text.includes('.') ? text : text.replace('e', '.0e');
}

function infinity(value: number, dtype: number): string {
  const bits: Readonly<Record<number, readonly [string, string, string]>> = {
    [DataType.float32]: ['0x7F800000', '0xFF800000', '0x7FC00000'],
    [DataType.bfloat16]: ['0x7F80', '0xFF80', '0x7FC0'],
    [DataType.float64]: ['0x7FF0000000000000', '0xFFF0000000000000', '0x7FF8000000000000'],
  };
  const [positive, negative, notANumber] = bits[dtype]!;
  if (Number.isNaN(value)) return notANumber;
  return value > 0 ? positive : negative;
}

/** The least and the greatest number of a type, for the start of a maximum or minimum. */
export function extremesOf(dtype: number): readonly [least: number, greatest: number] {
  if (dtype === DataType.int32) return [-(2 ** 31), 2 ** 31 - 1];
  return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase();

/** One value as its bits, most significant byte first. */
const bitsOf = (bytes: Uint8Array) => `0x${hex(Uint8Array.from(bytes).reverse())}`;

function scalarOf(bytes: Uint8Array, dtype: number): string {
  if (dtype === DataType.bool) return bytes[0] === 0 ? 'false' : 'true';
  return bitsOf(bytes);
}

function isUniform(bytes: Uint8Array, width: number): boolean {
  for (let i = width; i < bytes.length; i++) if (bytes[i] !== bytes[i - width]) return false;
  return true;
}

/** Nested lists of a shape's elements. */
function nested(shape: readonly number[], element: (index: number) => string): string {
  let next = 0;
  const list = (axis: number): string =>
    axis === shape.length
      ? element(next++)
      : `[${Array.from({ length: shape[axis]! }, () => list(axis + 1)).join(', ')}]`;
  return list(0);
}

/** Row-major little-endian values as a literal. Equal values are written once. */
export function denseLiteral(bytes: Uint8Array, shape: readonly number[], dtype: number): string {
  const width = bytesOfType(dtype);
  if (bytes.length === 0) return 'dense<>';
  if (isUniform(bytes, width)) return `dense<${scalarOf(bytes.subarray(0, width), dtype)}>`;
  // Booleans have no form in bits: they are packed.
  if (dtype === DataType.bool) return `dense<${nested(shape, (i) => (bytes[i] === 0 ? 'false' : 'true'))}>`;
  return `dense<"0x${hex(bytes)}">`;
}
