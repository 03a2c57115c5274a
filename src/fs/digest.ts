/** @module Digests that tell whether a stage's inputs have changed. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** SHA-256 of a value as JSON with sorted keys, so that the insertion order of an object does not matter. */
export function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)) ?? 'undefined')
    .digest('hex');
}

/** SHA-256 of a file, read in chunks. */
export async function digestOfFile(path: string, options: { signal?: AbortSignal } = {}): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...options }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, entry]) => [key, sorted(entry)]));
}
