/** @module PJRT_NamedValue: options of clients and topologies, and attributes of plugins. */
import type { Pointer } from '../executor.js';
import { STRUCTS, ValueType } from './layouts.js';
import { type Arena, textAt, viewOf } from './native-memory.js';

/** A bigint is written as an int64, a number as a float. */
export type NamedValue = string | bigint | number | boolean | readonly bigint[];

const { size: SIZE, fields: FIELDS } = STRUCTS.NamedValue;

/** Writes an array of named values. */
export function writeNamedValues(
  arena: Arena,
  values: Readonly<Record<string, NamedValue>>,
): { readonly at: Pointer; readonly count: number } {
  const entries = Object.entries(values);
  const { at, bytes } = arena.allocate(SIZE * entries.length);
  entries.forEach(([name, value], i) => {
    const one = bytes.subarray(SIZE * i, SIZE * (i + 1));
    const key = arena.copy(name);
    one.writeBigUInt64LE(BigInt(SIZE), 0);
    one.writeBigUInt64LE(key.at, FIELDS.name.offset);
    one.writeBigUInt64LE(BigInt(key.size), FIELDS.name_size.offset);
    writeValue(arena, one, value);
  });
  return { at, count: entries.length };
}

function writeValue(arena: Arena, one: Buffer, value: NamedValue): void {
  const put = (type: number, count: number) => {
    one.writeInt32LE(type, FIELDS.type.offset);
    one.writeBigUInt64LE(BigInt(count), FIELDS.value_size.offset);
  };
  const { offset } = FIELDS.value;
  if (typeof value === 'string') {
    const text = arena.copy(value);
    put(ValueType.string, text.size);
    one.writeBigUInt64LE(text.at, offset);
  } else if (typeof value === 'bigint') {
    put(ValueType.int64, 1);
    one.writeBigInt64LE(value, offset);
  } else if (typeof value === 'number') {
    put(ValueType.float, 1);
    one.writeFloatLE(value, offset);
  } else if (typeof value === 'boolean') {
    put(ValueType.bool, 1);
    one.writeUInt8(value ? 1 : 0, offset);
  } else {
    put(ValueType.int64List, value.length);
    one.writeBigUInt64LE(arena.int64s(value.map(Number)), offset);
  }
}

/** Reads an array of named values. */
export function readNamedValues(at: Pointer, count: number): Record<string, NamedValue> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => {
      const one = viewOf(at + BigInt(SIZE * i), SIZE);
      const name = textAt(one.readBigUInt64LE(FIELDS.name.offset), one.readBigUInt64LE(FIELDS.name_size.offset));
      return [name, readValue(one)];
    }),
  );
}

function readValue(one: Buffer): NamedValue {
  const [type, length] = [one.readInt32LE(FIELDS.type.offset), Number(one.readBigUInt64LE(FIELDS.value_size.offset))];
  const { offset } = FIELDS.value;
  if (type === ValueType.string) return textAt(one.readBigUInt64LE(offset), length);
  if (type === ValueType.int64) return one.readBigInt64LE(offset);
  if (type === ValueType.float) return one.readFloatLE(offset);
  if (type === ValueType.bool) return one[offset] !== 0;
  const list = length === 0 ? Buffer.alloc(0) : viewOf(one.readBigUInt64LE(offset), 8 * length);
  return Array.from({ length }, (_, i) => list.readBigInt64LE(8 * i));
}
