/** @module A set of 128-bit digests in typed arrays: about 24 bytes each. A Set of strings takes 100 and is limited to 2^24 entries. */

export interface DigestSet {
  readonly size: number;
  /** @param digest at least 16 bytes; only the first 16 count. @returns false if the set already contained it. */
  add(digest: Uint8Array): boolean;
  /** Removes all but the first `size` digests that were added. */
  truncate(size: number): void;
}

const WORDS = 4;
const FIRST_CAPACITY = 1024;

export function createDigestSet(): DigestSet {
  let size = 0;
  let keys = new Uint32Array(FIRST_CAPACITY * WORDS);
  // Open addressing with linear probing from an entry's first word. A bucket holds the entry's number plus one, or 0 if it is free. At most
  // half of the buckets are in use.
  let buckets = new Uint32Array(FIRST_CAPACITY * 2);

  const bucketOf = (words: Uint32Array): number => {
    const mask = buckets.length - 1;
    for (let bucket = words[0]! & mask; ; bucket = (bucket + 1) & mask) {
      const entry = buckets[bucket]!;
      if (entry === 0) return bucket;
      const at = (entry - 1) * WORDS;
      if (words.every((word, i) => keys[at + i] === word)) return bucket;
    }
  };
  const index = (capacity: number) => {
    buckets = new Uint32Array(capacity * 2);
    for (let entry = 0; entry < size; entry++)
      buckets[bucketOf(keys.subarray(entry * WORDS, (entry + 1) * WORDS))] = entry + 1;
  };
  return {
    get size() {
      return size;
    },
    add(digest) {
      const words = new Uint32Array(Uint8Array.from(digest.subarray(0, WORDS * 4)).buffer);
      let bucket = bucketOf(words);
      if (buckets[bucket] !== 0) return false;
      if ((size + 1) * WORDS > keys.length) {
        const grown = new Uint32Array(keys.length * 2);
        grown.set(keys);
        keys = grown;
        index(keys.length / WORDS);
        bucket = bucketOf(words);
      }
      keys.set(words, size * WORDS);
      buckets[bucket] = ++size;
      return true;
    },
    truncate(to) {
      if (to >= size) return;
      size = to;
      index(keys.length / WORDS);
    },
  };
}
