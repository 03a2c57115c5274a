/** @module Finds the buffers of the typed arrays inside a value, so that they can be transferred to another thread without copying. */

/** Each buffer once. No array that stays in this thread may use one of them. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (at: unknown) => {
    if (ArrayBuffer.isView(at)) found.add(at.buffer as ArrayBuffer);
    else if (typeof at === 'object' && at !== null) Object.values(at).forEach(visit);
  };
  visit(value);
  return [...found];
}
