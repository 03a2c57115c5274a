/**
 * @module The rolling polynomial hash of byte n-grams (blt-format 1.3): signed 64-bit arithmetic with wrap-around, then floor-mod.
 * JavaScript numbers represent integers up to 53 bits exactly, so each 64-bit word is stored as two 32-bit halves whose sums stay exact.
 */
import { VOCAB_SIZE } from './vocabulary.js';

/** One prime per hash function, in order. Function f uses the prime at index f modulo their count. */
const PRIMES = [
  1000000007n,
  5915587277n,
  1500450271n,
  3267000013n,
  5754853343n,
  4093082899n,
  9576890767n,
  3628273133n,
  2860486313n,
  5463458053n,
  3367900313n,
] as const;

const TWO_32 = 2 ** 32;

/** The low and high halves of id * prime^power modulo 2^64, indexed by [power][id]. */
interface Products {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

function productsOf(prime: bigint, powers: number): Products {
  const low = new Float64Array(powers * VOCAB_SIZE);
  const high = new Float64Array(powers * VOCAB_SIZE);
  let power = 1n;
  for (let j = 0; j < powers; j++, power = BigInt.asUintN(64, power * prime)) {
    for (let id = 0; id < VOCAB_SIZE; id++) {
      const word = BigInt.asUintN(64, power * BigInt(id));
      low[j * VOCAB_SIZE + id] = Number(word & 0xffffffffn);
      high[j * VOCAB_SIZE + id] = Number(word >> 32n);
    }
  }
  return { low, high };
}

const cache = new Map<string, Products>();

function cachedProducts(functionIndex: number, powers: number): Products {
  const key = `${functionIndex % PRIMES.length}/${powers}`;
  const found = cache.get(key) ?? productsOf(PRIMES[functionIndex % PRIMES.length]!, powers);
  cache.set(key, found);
  return found;
}

/** How the n-grams of a model are hashed. */
export interface HashConfig {
  /** n-gram sizes; 3 to 8 in the released models. */
  readonly sizes: readonly number[];
  readonly functions: number;
  /** Rows per table. */
  readonly vocab: number;
}

/** The number of a model's hash tables: one per function and size. */
export function hashTables(hash: HashConfig): number {
  return hash.functions * hash.sizes.length;
}

/**
 * Rows of the fused table, [N, tables]: the row for position p in table t (function-major) is at p * tables + t and equals t * vocab +
 * hash. The n-grams that begin at one position share their sums: the oldest id has power 0, so a longer n-gram only adds ids. About 65 ns
 * per byte for the released models' six tables (`npm run bench:batch`).
 * @param ids of one document; before its first position every id counts as 0.
 */
export function hashRows(ids: Int32Array, hash: HashConfig): Int32Array {
  const { sizes, functions, vocab } = hash;
  const count = ids.length;
  const tables = hashTables(hash);
  const rows = new Int32Array(count * tables);
  const wrap = TWO_32 % vocab;
  const bySize = Int32Array.from(sizes.keys()).sort((a, b) => sizes[a]! - sizes[b]!);
  const ascending = Int32Array.from(bySize, (s) => sizes[s]!);
  const longest = ascending.at(-1) ?? 0;
  for (let f = 0; f < functions; f++) {
    const { low, high } = cachedProducts(f, longest);
    for (let start = 1 - longest; start < count; start++) {
      let lowSum = 0;
      let highSum = 0;
      let j = Math.max(0, -start);
      for (let k = 0; k < ascending.length; k++) {
        const size = ascending[k]!;
        const p = start + size - 1;
        if (p >= count) break;
        for (; j < size; j++) {
          const at = j * VOCAB_SIZE + ids[start + j]!;
          lowSum += low[at]!;
          highSum += high[at]!;
        }
        if (p < 0) continue;
        const carry = Math.floor(lowSum / TWO_32);
        const signedHigh = (highSum + carry) | 0;
        // Floored quotients are exact below 2^53, and faster than % on doubles.
        const highRest = signedHigh - Math.floor(signedHigh / vocab) * vocab;
        const word = highRest * wrap + (lowSum - carry * TWO_32);
        const table = f * sizes.length + bySize[k]!;
        rows[p * tables + table] = table * vocab + (word - Math.floor(word / vocab) * vocab);
      }
    }
  }
  return rows;
}
