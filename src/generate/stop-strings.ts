/** @module Where a text that is being written must stop, and how much of it can be shown before that is known. Bytes, so a character may be cut. */

const endsWith = (text: readonly number[], end: Uint8Array): boolean =>
  text.length >= end.length && end.every((byte, i) => text[text.length - end.length + i] === byte);

/**
 * Where the text must be cut because a stop string is complete, or null. Only its last byte is new.
 * @returns the length that is left: what comes before the stop string
 */
export function stopsAt(text: readonly number[], stops: readonly Uint8Array[]): number | null {
  const lengths = stops.filter((stop) => endsWith(text, stop)).map((stop) => text.length - stop.length);
  return lengths.length === 0 ? null : Math.min(...lengths);
}

/** The length of the text that no stop string can take back: what may be the beginning of one waits. */
export function settledLength(text: readonly number[], stops: readonly Uint8Array[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let kept = Math.min(longest, text.length); kept > 0; kept--) {
    const begins = stops.some((stop) => kept < stop.length && endsWith(text, stop.subarray(0, kept)));
    if (begins) return text.length - kept;
  }
  return text.length;
}
