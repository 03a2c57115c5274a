import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/index.js';
import { llamaBitsPerByte } from '../../src/evaluate/index.js';
import { sourceBitsOfDocuments } from '../../src/evaluate/source-bits-of-documents.js';
import { llamaLosses, openLlamaModel } from '../../src/model/index.js';
import { loadTokenizer, type SourceTokenizer } from '../../src/tokenizer/index.js';

const TINY = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
const texts = ['A function returns a value, unless it throws.', 'Another text.'].map((text) =>
  new TextEncoder().encode(text),
);
const signal = new AbortController().signal;

let model: Awaited<ReturnType<typeof openLlamaModel>>;
let tokenizer: SourceTokenizer;
beforeAll(async () => {
  await startEngine({ threads: 2 });
  model = await openLlamaModel(TINY);
  tokenizer = await loadTokenizer(TINY);
});
afterAll(() => model.dispose());

describe('the source’s bits per byte of documents', () => {
  it('are those of whole texts where a window holds them', async () => {
    const seen: number[] = [];
    const options = { onBytes: (bytes: number) => seen.push(bytes), signal };
    const found = await sourceBitsOfDocuments(model, tokenizer, texts, options);
    const whole = await llamaBitsPerByte(model, tokenizer, texts);
    expect(found).toEqual({
      bytes: whole.byteCount,
      bitsPerByte: expect.closeTo(whole.bitsPerByte, 5),
      bytesPerToken: whole.bytesPerToken,
      unspelled: 0,
    });
    expect(seen).toEqual([texts[0]!.length, texts[0]!.length + texts[1]!.length]);
  });

  it('count each token once in longer documents, from at least half a window before it', async () => {
    const text = new TextDecoder().decode(texts[0]);
    const ids = [tokenizer.bosId!, ...tokenizer.encode(text)];
    const window = 6;
    let nats = 0;
    for (let at = 1; at < ids.length; at++) {
      // The first window predicts the tokens 1 to 5, each later one three more.
      const begin = at < window ? 0 : window + 3 * Math.floor((at - window) / 3) - 3;
      nats += llamaLosses(model, Int32Array.from(ids.slice(begin, at + 1))).at(-1)!;
    }
    const options = { window, onBytes: () => undefined, signal };
    const { bitsPerByte } = await sourceBitsOfDocuments(model, tokenizer, [texts[0]!], options);
    expect(ids.length).toBeGreaterThan(2 * window);
    expect(bitsPerByte).toBeCloseTo(nats / Math.LN2 / texts[0]!.length, 4);
  });

  it('leave out documents that the tokens do not spell, and stop between windows', async () => {
    const lossy = { ...tokenizer, spells: (text: string) => text.startsWith('A function') };
    const options = { onBytes: () => undefined, signal };
    const first = await sourceBitsOfDocuments(model, tokenizer, texts.slice(0, 1), options);
    expect(await sourceBitsOfDocuments(model, lossy, texts, options)).toEqual({ ...first, unspelled: 1 });
    expect(await sourceBitsOfDocuments(model, lossy, texts.slice(1), options)).toEqual({
      ...{ bytes: 0, bitsPerByte: null, bytesPerToken: null, unspelled: 1 },
    });
    const stop = AbortSignal.abort(new Error('stopped'));
    await expect(sourceBitsOfDocuments(model, tokenizer, texts, { ...options, signal: stop })).rejects.toThrow(
      'stopped',
    );
  });
});
