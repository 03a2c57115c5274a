/** @module Quotes names from untrusted files so that an error message can include them safely. */

/** No real model has a tensor with a longer name. */
const MAX_LENGTH = 120;

/** A string in quotes, with control characters escaped and long strings truncated. Other values are described, not shown. */
export function quoted(value: unknown): string {
  if (typeof value !== 'string') return 'a value that is not a string';
  return value.length > MAX_LENGTH ? `${JSON.stringify(value.slice(0, MAX_LENGTH))}…` : JSON.stringify(value);
}
