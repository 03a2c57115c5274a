/** @module Where a text that a model is writing ends. */

/** @returns the length of the text before the first of the stops that it contains; null if it contains none */
export function endOf(written: readonly number[], stops: readonly Uint8Array[]): number | null {
  const text = Buffer.from(written);
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? null : Math.min(...found);
}
