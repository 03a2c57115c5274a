import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gunzip } from '../../src/data/gunzip.js';
import { inChunks, someLengths } from '../support/archives.js';

async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

async function decoded(...chunks: Uint8Array[]): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of gunzip(each(chunks))) parts.push(part);
  return Buffer.concat(parts).toString();
}

const someTexts = fc.array(fc.string({ maxLength: 300 }), { minLength: 1, maxLength: 5 });
const [first, second] = [gzipSync('first'), gzipSync('second')];

describe('a gzip file', () => {
  it('yields the contents of all its members, with optional zero padding, however it is split into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(someTexts, fc.nat(600), someLengths, async (texts, zeros, lengths) => {
        const stored = Buffer.concat([...texts.map((text) => gzipSync(text)), Buffer.alloc(zeros)]);
        expect(await decoded(...inChunks([...stored], lengths))).toBe(texts.join(''));
      }),
      { numRuns: 60 },
    );
  });

  it('is refused if it is truncated anywhere inside a member', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: second.length - 1 }), someLengths, async (cut, lengths) => {
        const stored = [...first, ...second.subarray(0, cut)];
        await expect(decoded(...inChunks(stored, lengths))).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
      }),
      { numRuns: 60 },
    );
  });

  it('is refused if other bytes follow it, even after zero padding', async () => {
    const zeros = Buffer.alloc(20);
    await expect(decoded(Buffer.concat([first, Buffer.from('more of another kind')]))).rejects.toThrow(/header/);
    for (const chunks of [
      [Buffer.concat([first, zeros, second])],
      [first, zeros, second],
      [first, second, zeros, first],
    ])
      await expect(decoded(...chunks)).rejects.toThrow('are followed by other bytes');
  });

  it('is refused if its checksum is wrong', async () => {
    const damaged = Buffer.from(first);
    damaged[damaged.length - 6]! ^= 1;
    await expect(decoded(damaged)).rejects.toThrow('incorrect data check');
  });
});
