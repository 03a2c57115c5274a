import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locateModel } from '../../src/import/index.js';
import { openSourceReader } from '../../src/patching/index.js';

const folder = (await locateModel('builtin:tiny-llama')).path;
const reader = await openSourceReader(folder, { vocabSize: 1024, bosId: null, eosIds: [0] });

const spelled = (bytes: Uint8Array) =>
  Buffer.concat(reader.tokensOf(bytes).map(({ rank }) => reader.vocabulary.bytesAt(rank)));

describe('the tokens of a patch', () => {
  it('spell its bytes, valid UTF-8 or not, and have the lengths they state', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((some) => new TextEncoder().encode(some));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 20 })), (bytes) => {
        expect(spelled(bytes).equals(Buffer.from(bytes))).toBe(true);
        for (const { rank, length } of reader.tokensOf(bytes)) {
          expect(rank).toBeLessThan(reader.vocabulary.ordinary);
          expect(reader.vocabulary.bytesAt(rank)).toHaveLength(length);
          expect(length).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('are the same each time, even if the array that was tokenised changes', () => {
    const bytes = new TextEncoder().encode('the file');
    const first = [...reader.tokensOf(bytes)];
    bytes.fill(0x78);
    expect(reader.tokensOf(bytes)).not.toEqual(first);
    expect(reader.tokensOf(new TextEncoder().encode('the file'))).toEqual(first);
  });

  it('are kept for patches, not for whole documents, which would fill the memory', () => {
    const [patch, text] = ['the file', 'the file '.repeat(20)].map((string) => new TextEncoder().encode(string));
    expect(reader.tokensOf(patch!)).toBe(reader.tokensOf(patch!));
    expect(reader.tokensOf(text!)).toEqual(reader.tokensOf(text!));
    expect(reader.tokensOf(text!)).not.toBe(reader.tokensOf(text!));
  });
});
