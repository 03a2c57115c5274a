/** @module The buffers under typed arrays, wherever they stand in a value: to hand them to another thread without a copy. */

/** Each buffer once. Their arrays must not share them with what stays behind. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (at: unknown) => {
    if (ArrayBuffer.isView(at)) found.add(at.buffer as ArrayBuffer);
    else if (typeof at === 'object' && at !== null) Object.values(at).forEach(visit);
  };
  visit(value);
  return [...found];
}
