/**
 * @module Classes of token prefixes: the bytes of the source's token that a text has read so far. What the source's state says about the next
 * byte depends on them, so the decoder's first feed-forward units are divided among these classes. No TensorFlow.
 */
import { BYTE_OFFSET, EOS, PREFIX_CLASSES } from '../../../blt/index.js';
import type { PackedRow } from '../../../data/index.js';
import type { TokensOf } from '../../../patching/index.js';

export interface PrefixClusters {
  /** The number of classes. The last one is for prefixes that no other class covers. */
  readonly count: number;
  /** The class of a prefix. */
  of(prefix: string): number;
}

/** Bytes as a string with one character per byte, usable as a key. */
const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const mostCommon = (counts: ReadonlyMap<string, number>, limit: number): string[] =>
  [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([key]) => key);

/** @param counts how often each prefix occurs. */
export function prefixClusters(counts: ReadonlyMap<string, number>): PrefixClusters {
  const prefixes = mostCommon(counts, PREFIX_CLASSES.prefixes);
  const own = new Map(prefixes.map((prefix, i) => [prefix, i]));
  const lastBytes = new Map<string, number>();
  for (const [prefix, count] of counts)
    if (!own.has(prefix)) lastBytes.set(prefix.slice(-1), (lastBytes.get(prefix.slice(-1)) ?? 0) + count);
  const byLastByte = new Map(mostCommon(lastBytes, PREFIX_CLASSES.lastBytes).map((byte, i) => [byte, own.size + i]));
  const others = own.size + byLastByte.size;
  return { count: others + 1, of: (prefix) => own.get(prefix) ?? byLastByte.get(prefix.slice(-1)) ?? others };
}

/**
 * The prefix at each position of a row: the bytes read so far of the token that the next byte belongs to. Null where the next position is not a
 * byte of the same document. Documents are tokenised whole, so that no patcher is needed.
 */
export function prefixesOf({ ids, documents }: PackedRow, tokensOf: TokensOf): (string | null)[] {
  const prefixes: (string | null)[] = new Array(ids.length).fill(null);
  for (const { start, end } of documents) {
    const last = ids[end - 1] === EOS ? end - 1 : end;
    const bytes = Uint8Array.from(ids.subarray(start + 1, last), (id) => id - BYTE_OFFSET);
    let at = 0;
    for (const { length } of tokensOf(bytes)) {
      for (let offset = 0; offset < length; offset++)
        prefixes[start + at + offset] = keyOf(bytes.subarray(at, at + offset));
      at += length;
    }
  }
  return prefixes;
}

/** How often each prefix occurs. */
export function countPrefixes(prefixes: Iterable<string | null>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const prefix of prefixes) if (prefix !== null) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  return counts;
}

/**
 * Divides a number of units among shares, in proportion.
 * @param shares not negative; at least one above zero. @returns whole numbers that add up to `units`.
 */
export function apportion(units: number, shares: ArrayLike<number>): Int32Array {
  const total = Array.from(shares).reduce((sum, share) => sum + share, 0);
  const exact = Array.from(shares, (share) => (units * share) / total);
  const given = Int32Array.from(exact, Math.floor);
  const left = units - given.reduce((sum, count) => sum + count, 0);
  const byRemainder = exact
    .map((value, i) => [value - Math.floor(value), i] as const)
    .sort(([a, i], [b, j]) => b - a || i - j);
  for (const [, i] of byRemainder.slice(0, left)) given[i]!++;
  return given;
}
