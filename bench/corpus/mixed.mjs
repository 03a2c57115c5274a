// A hash of integers.

/** The finalizer of MurmurHash3: spreads every bit of a number over all of its bits. */
export function mixed(value) {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
