import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bitsOfDocuments, bltBitsPerByte, openScorer, type Scorer } from '../../src/evaluate/index.js';
import { residentGolden } from '../support/resident-golden.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const DOCUMENTS = ['A', 'Short.', 'Longer than a stride; ça continue. '.repeat(8)].map(bytes);
const total = DOCUMENTS.reduce((sum, { length }) => sum + length, 0);

describe('the bits of documents', () => {
  const golden = residentGolden('plain/blt');
  let scorer: Scorer;
  beforeAll(() => {
    scorer = openScorer(golden.resident, { stride: 32 });
  });
  afterAll(() => scorer.dispose());

  it('equal those of the whole texts, each after its own BOS', async () => {
    const seen: number[] = [];
    const signal = new AbortController().signal;
    const found = await bitsOfDocuments(scorer, DOCUMENTS, { signal, onBytes: (done) => seen.push(done) });
    const wanted = await bltBitsPerByte(golden.model.params, golden.model.config, DOCUMENTS);
    expect(found.documents).toBe(3);
    expect(found.bytes).toBe(total);
    expect(found.bitsPerByte!).toBeCloseTo(wanted.bitsPerByte, 4);
    expect(found.bytesPerPatch!).toBeCloseTo(wanted.bytesPerPatch, 6);
    expect(seen.at(-1)).toBe(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('are null if there are no documents', async () => {
    const signal = new AbortController().signal;
    const found = await bitsOfDocuments(scorer, [], { signal, onBytes: () => undefined });
    expect(found).toEqual({ documents: 0, bytes: 0, bitsPerByte: null, bytesPerPatch: null });
  });

  it('stop when the signal is aborted', async () => {
    const controller = new AbortController();
    const onBytes = () => controller.abort(new Error('enough'));
    await expect(bitsOfDocuments(scorer, DOCUMENTS, { signal: controller.signal, onBytes })).rejects.toThrow('enough');
  });
});
