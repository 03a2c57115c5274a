/**
 * @module The source's vocabulary in the order of its tokens' bytes. In that order all tokens with a common prefix lie side by side, so the
 * probability of a prefix is the sum over one range (docs/distillation.md). A token's place in it is its rank. No TensorFlow.
 */
import { ByteifyError } from '../errors.js';
import type { SourceTokenizer } from '../tokenizer/index.js';

export interface SortedVocabulary {
  /** The id at each rank: ordinary tokens by their bytes, then all other ids up to `size`. */
  readonly order: Int32Array;
  /** Ranks below it are ordinary tokens. */
  readonly ordinary: number;
  /** The rank of an id. @throws ByteifyError for an id that the model has no row for. */
  rankOf(id: number): number;
  /** The bytes of an ordinary token. */
  bytesAt(rank: number): Uint8Array;
  /** The longest ordinary token that `bytes` begin with from `from` on. @throws ByteifyError when none does. */
  longestAt(bytes: Uint8Array, from: number): number;
  /**
   * Ranks [bounds[b], bounds[b + 1]) are the tokens that begin with `prefix` and then byte b, for b = 0..255. The array is kept: it must not
   * be changed.
   */
  boundsOf(prefix: Uint8Array): Int32Array;
}

/** Bounds are kept for this many prefixes: 64 MB. */
const KEPT_PREFIXES = 2 ** 16;
const BYTE_VALUES = 256;

/** One character a byte: a key of a Map, and sorted as bytes are. */
export const byteKey = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** @param size rows of the source's embedding table, which may be more than the tokenizer names. */
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
        throw new ByteifyError(`The tokenizer has the token ${id} and the model only ${size} of them.`, {
          hint: 'Tokenizer and weights do not belong together: download the source again.',
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
      if (kept.size === KEPT_PREFIXES) kept.clear();
      const bounds = prefixBounds(keys, key);
      kept.set(key, bounds);
      return bounds;
    },
  };
}

/** The id at each rank, and the keys of the ordinary tokens, which come first. */
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

/** The first rank from `from` on whose key does not begin with `key`: nothing sorts after 0xff. */
function endOf(keys: readonly string[], key: string, from: number): number {
  let rank = from;
  while (keys[rank]?.startsWith(key)) rank++;
  return rank;
}

/** Ranks [bounds[b], bounds[b + 1]) of the sorted keys begin with `prefix` and then byte b. */
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
