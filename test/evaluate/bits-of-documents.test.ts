import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bitsOfDocuments, bltBitsPerByte, openScorer, type Scorer } from '../../src/evaluate/index.js';
import { heldGolden } from '../support/held-golden.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const DOCUMENTS = ['A', 'Short.', 'Longer than a stride; ça continue. '.repeat(8)].map(bytes);
const total = DOCUMENTS.reduce((sum, { length }) => sum + length, 0);

describe('bits of documents', () => {
  const golden = heldGolden('plain/blt');
  let scorer: Scorer;
  beforeAll(() => {
    scorer = openScorer(golden.held, { stride: 32 });
  });
  afterAll(() => scorer.dispose());

  it('are those of the whole texts at once, each from its own beginning', async () => {
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

  it('are none of no documents', async () => {
    const signal = new AbortController().signal;
    const found = await bitsOfDocuments(scorer, [], { signal, onBytes: () => undefined });
    expect(found).toEqual({ documents: 0, bytes: 0, bitsPerByte: null, bytesPerPatch: null });
  });

  it('end where they are stopped', async () => {
    const controller = new AbortController();
    const onBytes = () => controller.abort(new Error('enough'));
    await expect(bitsOfDocuments(scorer, DOCUMENTS, { signal: controller.signal, onBytes })).rejects.toThrow('enough');
  });
});
