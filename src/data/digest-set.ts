/** @module A set of 128-bit digests in typed arrays: about 24 bytes each, where a Set of strings takes 100 and stops at 2^24. */

export interface DigestSet {
  readonly size: number;
  /** @param digest at least 16 bytes, of which the first 16 count. @returns false when it was there already. */
  add(digest: Uint8Array): boolean;
  /** Forgets all but the first `size` that were added. */
  truncate(size: number): void;
}

const WORDS = 4;
const FIRST_CAPACITY = 1024;

export function createDigestSet(): DigestSet {
  let size = 0;
  let keys = new Uint32Array(FIRST_CAPACITY * WORDS);
  // Open addressing: an entry's number plus one at the place of its first word, or after it; 0 is free. At most half full.
  let places = new Uint32Array(FIRST_CAPACITY * 2);

  const placeOf = (words: Uint32Array): number => {
    const mask = places.length - 1;
    for (let place = words[0]! & mask; ; place = (place + 1) & mask) {
      const entry = places[place]!;
      if (entry === 0) return place;
      const at = (entry - 1) * WORDS;
      if (words.every((word, i) => keys[at + i] === word)) return place;
    }
  };
  const index = (capacity: number) => {
    places = new Uint32Array(capacity * 2);
    for (let entry = 0; entry < size; entry++)
      places[placeOf(keys.subarray(entry * WORDS, (entry + 1) * WORDS))] = entry + 1;
  };
  return {
    get size() {
      return size;
    },
    add(digest) {
      const words = new Uint32Array(Uint8Array.from(digest.subarray(0, WORDS * 4)).buffer);
      let place = placeOf(words);
      if (places[place] !== 0) return false;
      if ((size + 1) * WORDS > keys.length) {
        const grown = new Uint32Array(keys.length * 2);
        grown.set(keys);
        keys = grown;
        index(keys.length / WORDS);
        place = placeOf(words);
      }
      keys.set(words, size * WORDS);
      places[place] = ++size;
      return true;
    },
    truncate(to) {
      if (to >= size) return;
      size = to;
      index(keys.length / WORDS);
    },
  };
}
