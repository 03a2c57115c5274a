/**
 * @module The source's vocabulary, sorted by the bytes of its tokens. Tokens with a common prefix are then adjacent, so the probability of a
 * prefix is the sum over one range (docs/distillation.md). A token's index in this order is its rank. No TensorFlow.
 */
import { ByteifyError } from '../errors.js';
import type { SourceTokenizer } from '../tokenizer/index.js';

export interface SortedVocabulary {
  /** The id at each rank: the ordinary tokens, sorted by their bytes, then all other ids below `size`. */
  readonly order: Int32Array;
  /** The number of ordinary tokens, which have the lowest ranks. */
  readonly ordinary: number;
  /** The rank of an id. @throws ByteifyError for an id for which the model has no row. */
  rankOf(id: number): number;
  /** The bytes of an ordinary token. */
  bytesAt(rank: number): Uint8Array;
  /** The rank of the longest ordinary token at `bytes[from]`. @throws ByteifyError if there is none. */
  longestAt(bytes: Uint8Array, from: number): number;
  /**
   * Bounds [257]: the tokens that begin with `prefix` followed by byte b have the ranks bounds[b] to bounds[b + 1] - 1. The array is cached: do
   * not change it.
   */
  boundsOf(prefix: Uint8Array): Int32Array;
}

/** Bounds are cached for this many prefixes: 67 MB. */
const MAX_CACHED_PREFIXES = 2 ** 16;
const BYTE_VALUES = 256;

/** Bytes as a string with one character per byte: usable as the key of a Map, and sorted like the bytes. */
export const byteKey = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Sorts a tokenizer's vocabulary. @param size number of rows in the source's embedding table, which may exceed the tokenizer's ids */
export function sortVocabulary(tokenizer: SourceTokenizer, size: number): SortedVocabulary {
  const { order, keys } = inByteOrder(tokenizer, size);
  const ranks = new Int32Array(size);
  order.forEach((id, rank) => {
    ranks[id] = rank;
  });
  const rankOfKey = new Map<string, number>();
  for (const [rank, key] of keys.entries()) if (!rankOfKey.has(key)) rankOfKey.set(key, rank);
  const longest = keys.reduce((most, { length }) => Math.max(most, length), 0);
  const kept = new Map<string, Int32Array>();
  return {
    order,
    ordinary: keys.length,
    rankOf(id) {
      const rank = ranks[id];
      if (rank === undefined) {
        throw new ByteifyError(`The tokenizer has the token id ${id}, but the model has only ${size} tokens.`, {
          hint: 'The tokenizer and the weights do not belong together: download the source again.',
        });
      }
      return rank;
    },
    bytesAt: (rank) => tokenizer.tokenBytes(order[rank]!),
    longestAt(bytes, from) {
      const rest = byteKey(bytes.subarray(from, from + longest));
      for (let length = rest.length; length > 0; length--) {
        const rank = rankOfKey.get(rest.slice(0, length));
        if (rank !== undefined) return rank;
      }
      throw new ByteifyError(`The source’s vocabulary has no token for the byte ${bytes[from]}.`, {
        hint: 'Only byte-level vocabularies and those with byte tokens can spell every text.',
      });
    },
    boundsOf(prefix) {
      const key = byteKey(prefix);
      const found = kept.get(key);
      if (found !== undefined) return found;
      if (kept.size === MAX_CACHED_PREFIXES) kept.clear();
      const bounds = prefixBounds(keys, key);
      kept.set(key, bounds);
      return bounds;
    },
  };
}

/** The id at each rank, and the sorted keys of the ordinary tokens, which come first. */
function inByteOrder(tokenizer: SourceTokenizer, size: number): { order: Int32Array; keys: readonly string[] } {
  const named = tokenizer.ordinaryIds.filter((id) => id < size);
  const keyOfId = new Map(named.map((id) => [id, byteKey(tokenizer.tokenBytes(id))]));
  const sorted = [...named].sort((a, b) => {
    const [x, y] = [keyOfId.get(a)!, keyOfId.get(b)!];
    return x < y ? -1 : x > y ? 1 : a - b;
  });
  const isOrdinary = new Set(sorted);
  const others = Array.from({ length: size }, (_, id) => id).filter((id) => !isOrdinary.has(id));
  return { order: Int32Array.from([...sorted, ...others]), keys: sorted.map((id) => keyOfId.get(id)!) };
}

/** The first rank whose key is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first rank, from `from` on, whose key does not begin with `key`. Used for byte 0xff, which has no next byte to search for. */
function endOf(keys: readonly string[], key: string, from: number): number {
  let rank = from;
  while (keys[rank]?.startsWith(key)) rank++;
  return rank;
}

/** Bounds [257]: the keys at ranks bounds[b] to bounds[b + 1] - 1 begin with `prefix` followed by byte b. */
function prefixBounds(keys: readonly string[], prefix: string): Int32Array {
  const bounds = new Int32Array(BYTE_VALUES + 1);
  let rank = lowerBound(keys, `${prefix}\0`);
  for (let byte = 0; byte < BYTE_VALUES; byte++) {
    bounds[byte] = rank;
    const key = prefix + String.fromCharCode(byte);
    if (keys[rank]?.startsWith(key))
      rank = byte === 255 ? endOf(keys, key, rank) : lowerBound(keys, prefix + String.fromCharCode(byte + 1));
  }
  bounds[BYTE_VALUES] = rank;
  return bounds;
}
