/** @module Protocol Buffers' wire format, written by hand: a handful of fields does not justify a library (protobuf.dev, "Encoding"). */

const [VARINT, LENGTH_DELIMITED] = [0, 2];

function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

/** An integer, a boolean or an enum in a field. */
export const integer = (field: number, value: number | bigint): number[] => [
  ...varint(field * 8 + VARINT),
  ...varint(value),
];

/** A string or an embedded message in a field. */
export function message(field: number, content: readonly number[] | string): number[] {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content;
  return [...varint(field * 8 + LENGTH_DELIMITED), ...varint(bytes.length), ...bytes];
}
