/** @module Decompresses gzip (RFC 1952): all members of a file, and optional zero padding after them. */
import { createGunzip } from 'node:zlib';
import { Unusable } from './refusal.js';
import { throughTransform } from './through-transform.js';

/** Whether a file with these first bytes is gzip. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function requirePadding(bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0))
    throw new Unusable('its gzip data and their zero padding are followed by other bytes');
}

/**
 * Decompresses all gzip members.
 * @throws Unusable if anything but zero padding follows the last member; zlib's error if the data is damaged or truncated.
 */
export async function* gunzip(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  /** zlib stops at a zero byte between members and ignores everything after it, so the padding is checked here. */
  async function* members(): AsyncGenerator<Uint8Array> {
    let given = 0;
    let isPadding = false;
    for await (const chunk of stored) {
      if (!isPadding) {
        given += chunk.length;
        yield chunk;
      }
      const unused = isPadding ? chunk.length : given - stream.bytesWritten;
      if (unused === 0) continue;
      isPadding = true;
      requirePadding(chunk.subarray(chunk.length - unused));
    }
  }
  yield* throughTransform(stream, members());
}
