import { describe, expect, it } from 'vitest';
import { BOE, BOS, readBltConfig } from '../../src/blt/index.js';
import { byteBatch, cutRows, learningFields, textBatch, wholeRow, withDocuments } from '../../src/patching/index.js';
import { goldenPath } from '../support/golden.js';

const packed = {
  ids: Int32Array.of(BOS, 70, 71, BOS, 72, BOE),
  documents: [
    { start: 0, end: 3 },
    { start: 3, end: 5 },
  ],
};
const blank = { ids: new Int32Array(6).fill(BOE), documents: [] };

describe('stacked rows of bytes', () => {
  it('have the document of each position, with padding as one more', () => {
    const { documents, ids, ...sizes } = byteBatch([packed, blank]);
    expect(sizes).toEqual({ rows: 2, length: 6, patches: 0, tokens: 0 });
    expect([...ids]).toEqual([...packed.ids, ...blank.ids]);
    expect([...documents!]).toEqual([0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0, 0]);
  });

  it('have no documents if each row is one without padding', () => {
    const whole = wholeRow(Int32Array.of(BOS, 70, 71));
    expect(byteBatch([whole, whole]).documents).toBeNull();
    const padded = { ids: Int32Array.of(BOS, 70, BOE), documents: [{ start: 0, end: 2 }] };
    expect(byteBatch([whole, padded]).documents).not.toBeNull();
  });

  it('are BOS and the bytes for a single text', () => {
    const { ids, rows, length } = textBatch(Uint8Array.of(0, 255));
    expect([[...ids], rows, length]).toEqual([[BOS, 4, 259], 1, 3]);
  });
});

describe('a batch for a trace', () => {
  it('has arrays for the documents of bytes and patches', async () => {
    const config = await readBltConfig(goldenPath('plain/blt'));
    const { batch } = cutRows([wholeRow(Int32Array.of(BOS, 70, 71))], new Float32Array(3), config, 4);
    expect([batch.documents, batch.patchDocuments]).toEqual([null, null]);
    const { documents, patchDocuments } = withDocuments(batch);
    expect([documents, patchDocuments]).toEqual([new Int32Array(3), new Int32Array(4)]);
  });

  it('keeps existing arrays, and adds no patches', () => {
    const batch = byteBatch([packed]);
    expect(withDocuments(batch)).toEqual(batch);
    expect(withDocuments(byteBatch([wholeRow(Int32Array.of(BOS))]))).not.toHaveProperty('patchDocuments');
  });
});

it('targets and weights are stacked in the order of the rows', () => {
  const rows = [1, 2].map((n) => ({ targets: Int32Array.of(n, n + 1), weights: Float32Array.of(1, n / 2) }));
  expect(learningFields(rows)).toEqual({
    targets: Int32Array.of(1, 2, 2, 3),
    weights: Float32Array.of(1, 0.5, 1, 1),
  });
});
