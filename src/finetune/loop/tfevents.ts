/**
 * @module TensorBoard event files: length-prefixed protocol buffers with masked CRC-32C checksums
 * (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto, tensorflow/core/lib/io/record_writer.cc).
 */

const CASTAGNOLI = 0x82f63b78;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  return crc;
});

/** CRC-32C as event files store it: rotated and offset, so that checksums of data that contains checksums stay reliable. */
export function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

// Protocol buffer fields: key = number << 3 | wire type.

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const varintField = (number: number, value: number): number[] => [number << 3, ...varint(value)];
const bytesField = (number: number, bytes: ArrayLike<number>): number[] => [
  (number << 3) | 2,
  ...varint(bytes.length),
  ...Array.from(bytes),
];
const textField = (number: number, text: string): number[] => bytesField(number, new TextEncoder().encode(text));
const doubleField = (number: number, value: number): number[] => [
  (number << 3) | 1,
  ...new Uint8Array(Float64Array.of(value).buffer),
];
const floatField = (number: number, value: number): number[] => [
  (number << 3) | 5,
  ...new Uint8Array(Float32Array.of(value).buffer),
];

function record(payload: readonly number[]): Uint8Array {
  const data = Uint8Array.from(payload);
  const framed = new Uint8Array(data.length + 16);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(framed.subarray(0, 8)), true);
  framed.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return framed;
}

/** The first record of an event file. @param seconds since 1970. */
export function fileVersionRecord(seconds: number): Uint8Array {
  return record([...doubleField(1, seconds), ...textField(3, 'brain.Event:2')]);
}

const START = 1;

/**
 * Marks the beginning of a resumed session. Readers discard events of this step and later ones in earlier files.
 * @param step the first step of the session. @param seconds since 1970.
 */
export function restartRecord(step: number, seconds: number): Uint8Array {
  return record([...doubleField(1, seconds), ...varintField(2, step), ...bytesField(7, varintField(1, START))]);
}

/** The scalars of one step. @param seconds since 1970. */
export function scalarsRecord(step: number, scalars: Readonly<Record<string, number>>, seconds: number): Uint8Array {
  const values = Object.entries(scalars).flatMap(([tag, value]) =>
    bytesField(1, [...textField(1, tag), ...floatField(2, value)]),
  );
  return record([...doubleField(1, seconds), ...varintField(2, step), ...bytesField(5, values)]);
}
