import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/index.js';
import { openExactNats } from '../../src/evaluate/index.js';
import { llamaLosses, openLlamaModel } from '../../src/model/index.js';
import { openSourceReader, type SourceReader } from '../../src/patching/index.js';

const TINY = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));

let model: Awaited<ReturnType<typeof openLlamaModel>>;
let reader: SourceReader;
let start = 0;
let exactNats: ReturnType<typeof openExactNats>;
beforeAll(async () => {
  await startEngine({ threads: 2 });
  model = await openLlamaModel(TINY);
  const { vocabSize, bosId, eosIds } = model.config;
  reader = await openSourceReader(TINY, { vocabSize, bosId, eosIds });
  start = reader.vocabulary.order[reader.special.start]!;
  exactNats = openExactNats(model, reader.vocabulary, start);
});
afterAll(() => model.dispose());

const probability = (bytes: ArrayLike<number>) => Math.exp(-exactNats(Uint8Array.from(bytes)));

/** The probability that a special token follows these ids. */
function specialAfter(ids: readonly number[]): number {
  const { order, ordinary } = reader.vocabulary;
  return Array.from(order.subarray(ordinary), (id) =>
    Math.exp(-llamaLosses(model, Int32Array.from([...ids, id])).at(-1)!),
  ).reduce((sum, one) => sum + one, 0);
}

describe('the exact probability of bytes', () => {
  it('sums to 1 over the first byte, with that of special tokens', () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => probability([byte]));
    expect(bytes.reduce((sum, one) => sum + one, 0) + specialAfter([start])).toBeCloseTo(1, 4);
  });

  it('of a byte is the sum over the byte after it, and over the end of the text', () => {
    const first = 'a'.charCodeAt(0);
    const [id] = reader.tokenizer.encode('a');
    const own = Math.exp(-llamaLosses(model, Int32Array.of(start, id!))[0]!);
    const pairs = Array.from({ length: 256 }, (_, byte) => probability([first, byte]));
    const wanted = pairs.reduce((sum, one) => sum + one, 0) + own * specialAfter([start, id!]);
    expect(probability([first]) / wanted).toBeCloseTo(1, 3);
  });

  it('is at least that of the canonical tokens', () => {
    for (const text of ['the', 'return', 'a value', 'çà']) {
      const losses = llamaLosses(model, Int32Array.from([start, ...reader.tokenizer.encode(text)]));
      const canonical = losses.reduce((sum, one) => sum + one, 0);
      expect(exactNats(Buffer.from(text))).toBeLessThanOrEqual(canonical + 1e-4);
    }
  });
});
