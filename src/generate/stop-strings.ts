/** @module Finds stop strings during generation, and how much of a text is final meanwhile. It works on bytes, so characters may be split. */

const endsWith = (text: readonly number[], end: Uint8Array): boolean =>
  text.length >= end.length && end.every((byte, i) => text[text.length - end.length + i] === byte);

/**
 * Checks whether the last byte of the text, the only new one, completes a stop string.
 * @returns the length of the text before the stop string, or null
 */
export function stopsAt(text: readonly number[], stops: readonly Uint8Array[]): number | null {
  const lengths = stops.filter((stop) => endsWith(text, stop)).map((stop) => text.length - stop.length);
  return lengths.length === 0 ? null : Math.min(...lengths);
}

/** The length of the text that is final: a suffix that may begin a stop string is not. */
export function settledLength(text: readonly number[], stops: readonly Uint8Array[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let kept = Math.min(longest, text.length); kept > 0; kept--) {
    const begins = stops.some((stop) => kept < stop.length && endsWith(text, stop.subarray(0, kept)));
    if (begins) return text.length - kept;
  }
  return text.length;
}
