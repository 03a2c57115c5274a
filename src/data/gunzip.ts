/** @module Decompresses gzip (RFC 1952): all members of a file, which zero bytes may follow. */
import { createGunzip } from 'node:zlib';
import { Unusable } from './refusal.js';
import { throughTransform } from './through-transform.js';

/** Whether a file that begins so is gzip. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function requirePadding(bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0))
    throw new Unusable('its gzip data and their zero padding are followed by other bytes');
}

/** @throws Unusable for what follows the last member and is no padding; an error of zlib for what is damaged or cut off. */
export async function* gunzip(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  /** zlib stops at a zero byte between members and ignores all that follows it: that is looked at here. */
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
