/** Writes GGUF files field by field, valid and invalid (gguf.md describes the layout). */

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
export const u64 = (value: bigint | number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
export const text = (value: string | Uint8Array) => Buffer.concat([u64(Buffer.from(value).length), Buffer.from(value)]);

/** A value with its type's number before it. */
export const typed = (type: number, ...bytes: Uint8Array[]) => Buffer.concat([u32(type), ...bytes]);
export const string = (value: string) => typed(8, text(value));
export const array = (type: number, ...elements: Uint8Array[]) =>
  typed(9, u32(type), u64(elements.length), ...elements);

export interface SampleTensor {
  readonly name?: string;
  readonly dims?: readonly (number | bigint)[];
  readonly type?: number;
  readonly offset?: number | bigint;
}

export interface Sample {
  readonly version?: number;
  readonly keyValues?: readonly (readonly [string | Uint8Array, Uint8Array])[];
  readonly tensors?: readonly SampleTensor[];
  readonly alignment?: number;
  readonly dataBytes?: number;
}

/** Tensors are F32 by default; byte i of the data is i modulo 251. */
export function sampleGguf({
  version = 3,
  keyValues = [],
  tensors = [],
  alignment = 32,
  dataBytes = 0,
}: Sample): Buffer {
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(tensors.length),
    u64(keyValues.length),
    ...keyValues.flatMap(([key, value]) => [text(key), value]),
    ...tensors.flatMap(({ name = 'a', dims = [8], type = 0, offset = 0 }) => [
      text(name),
      u32(dims.length),
      ...dims.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  const padding = Buffer.alloc((alignment - (header.length % alignment)) % alignment);
  return Buffer.concat([header, padding, Buffer.from(Array.from({ length: dataBytes }, (_, i) => i % 251))]);
}
