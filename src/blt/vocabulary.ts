/** @module Bytes as token ids (blt-format 1.1): four special ids, then byte b at b + 4. */

/** Begin of example; also the padding of rows. */
export const BOE = 0;
export const BOS = 1;
export const EOS = 2;
export const BPE_DELIMITER = 3;
export const BYTE_OFFSET = 4;
export const VOCAB_SIZE = 260;

/** The ids of a byte sequence. By default BOS is prepended and EOS is not appended. */
export function encodeBytes(bytes: Uint8Array, options: { bos?: boolean; eos?: boolean } = {}): Int32Array {
  const { bos = true, eos = false } = options;
  const ids = new Int32Array(bytes.length + Number(bos) + Number(eos));
  const start = Number(bos);
  if (bos) ids[0] = BOS;
  for (let i = 0; i < bytes.length; i++) ids[start + i] = bytes[i]! + BYTE_OFFSET;
  if (eos) ids[ids.length - 1] = EOS;
  return ids;
}

/** The bytes of a sequence of ids; special ids are dropped. */
export function decodeBytes(ids: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(
    Array.from(ids).filter((id) => id >= BYTE_OFFSET && id < VOCAB_SIZE),
    (id) => id - BYTE_OFFSET,
  );
}
