import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BltConfig, BOE, BOS, hashRows, hashTables, readBltConfig } from '../../src/blt/index.js';
import { type ByteRow, cutRows, wholeRow } from '../../src/patching/index.js';
import { goldenPath } from '../support/golden.js';

const golden = await readBltConfig(goldenPath('plain/blt'));
const config: BltConfig = { ...golden, patching: { threshold: 1, maxPatchLength: null } };
const tables = hashTables(config.hash);
const LENGTH = 24;

/** A row of documents of the given lengths, followed by padding. */
function rowOf(lengths: readonly number[]): ByteRow {
  const ids = new Int32Array(LENGTH).fill(BOE);
  const documents: { start: number; end: number }[] = [];
  for (const length of lengths) {
    const start = documents.at(-1)?.end ?? 0;
    if (start + length > LENGTH) break;
    ids[start] = BOS;
    for (let i = 1; i < length; i++) ids[start + i] = 4 + ((i * 13 + length) % 256);
    documents.push({ start, end: start + length });
  }
  return { ids, documents };
}

const rows = fc.array(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 3,
});
const entropies = fc.array(fc.constantFrom(0, 2), { minLength: 3 * LENGTH, maxLength: 3 * LENGTH });

describe('rows segmented into patches', () => {
  it('give each document the patches, ids and hashes that it has alone, whatever is packed beside it', () => {
    fc.assert(
      fc.property(rows, entropies, fc.nat(30), (lengths, high, capacity) => {
        const packed = lengths.map(rowOf);
        const nats = Float32Array.from(high);
        const { batch, patchLengths } = cutRows(packed, nats, config, capacity);
        expect(batch.patches).toBeGreaterThanOrEqual(capacity);
        packed.forEach(({ ids, documents }, row) => {
          let before = 0;
          documents.forEach(({ start, end }, document) => {
            const at = row * LENGTH + start;
            const alone = cutRows([wholeRow(ids.slice(start, end))], nats.slice(at, at + end - start), config);
            expect(patchLengths[row]![document]).toEqual(alone.patchLengths[0]![0]);
            const base = row * batch.patches + before;
            for (let i = 0; i < end - start; i++) {
              expect(batch.encoderPatch[at + i]).toBe(base + alone.batch.encoderPatch[i]!);
              expect(batch.decoderPatch[at + i]).toBe(base + alone.batch.decoderPatch[i]!);
            }
            const hashed = batch.hashRows.subarray(at * tables, (at + end - start) * tables);
            expect(hashed).toEqual(hashRows(ids.slice(start, end), config.hash));
            const patches = alone.batch.patches;
            if (batch.patchDocuments !== null) {
              const own = batch.patchDocuments.subarray(base, base + patches);
              expect([...own]).toEqual(Array(patches).fill(document));
            }
            before += patches;
          });
        });
      }),
    );
  });

  it('put padding into a patch after all real ones, followed by empty patches', () => {
    const row = rowOf([3]);
    const { batch } = cutRows([row], new Float32Array(LENGTH), config, 5);
    expect([...batch.encoderPatch.subarray(0, 5)]).toEqual([0, 1, 1, 2, 2]);
    expect([...batch.patchDocuments!]).toEqual([0, 0, 1, 2, 2]);
    // Padding looks up a row that a real byte looks up too.
    expect(batch.hashRows.subarray(3 * tables).every((value) => value === batch.hashRows[0])).toBe(true);
  });
});
