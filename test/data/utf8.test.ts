import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Unusable } from '../../src/data/refusal.js';
import { validUtf8 } from '../../src/data/utf8.js';

async function* cut(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const length of lengths) {
    yield bytes.subarray(from, from + length);
    from += length;
  }
  yield bytes.subarray(from);
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

const lengths = fc.array(fc.nat(6), { maxLength: 30 });

function isValid(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

describe('UTF-8 in chunks', () => {
  it('is yielded whole and cut between characters, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), lengths, async (text, cuts) => {
        const chunks = await whole(validUtf8(cut(new TextEncoder().encode(text), cuts)));
        expect(chunks.every((chunk) => isValid(chunk) && chunk.length > 0)).toBe(true);
        expect(Buffer.concat(chunks).toString('utf8')).toBe(text);
      }),
    );
  });

  it('is refused exactly if a decoder refuses it', async () => {
    const byte = fc.oneof(
      fc.constantFrom(0x61, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xa0, 0xf0, 0x9f, 0xf4, 0xff),
      fc.nat(255),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(byte, { maxLength: 8 }), lengths, async (bytes, cuts) => {
        const input = Uint8Array.from(bytes);
        const error = await whole(validUtf8(cut(input, cuts))).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        if (isValid(input)) expect(error).toBeNull();
        else expect(error).toBeInstanceOf(Unusable);
      }),
      { numRuns: 500 },
    );
  });
});
