/** @module Names out of a file that nobody vouches for, in a form that an error message can carry. */

/** No tensor of a real model has a longer name. */
const MAX_LENGTH = 120;

/** A value in quotes: control characters escaped, cut where it is too long to be read; what is no text is only called so. */
export function quoted(value: unknown): string {
  if (typeof value !== 'string') return 'a value that is no text';
  return value.length > MAX_LENGTH ? `${JSON.stringify(value.slice(0, MAX_LENGTH))}…` : JSON.stringify(value);
}
