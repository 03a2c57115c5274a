import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine, tf } from '../../../src/engine/index.js';
import { openSourceModel } from '../../../src/evaluate/readers/source-model.js';
import { llamaHidden, llamaLosses, openLlamaModel } from '../../../src/model/index.js';
import { startTokenOf } from '../../../src/patching/index.js';
import { loadTokenizer, type SourceTokenizer } from '../../../src/tokenizer/index.js';
import { itemOf } from '../../support/suite-items.js';

const TINY = fileURLToPath(new URL('../../../assets/tiny-llama', import.meta.url));
const TEXT = 'A function returns a value, unless it throws. A caller that does not catch the error passes it on.';
const signal = new AbortController().signal;

let model: Awaited<ReturnType<typeof openLlamaModel>>;
let tokenizer: SourceTokenizer;
beforeAll(async () => {
  await startEngine({ threads: 2 });
  model = await openLlamaModel(TINY);
  tokenizer = await loadTokenizer(TINY);
});
afterAll(() => model.dispose());

const tokensOf = (text: string) => [startTokenOf(tokenizer, model.config), ...tokenizer.encode(text)];
const sum = (values: Float32Array) => values.reduce((total, one) => total + one, 0);

/** The nats of the tokens of `text` after `before`, read at once. */
function wanted(before: string, text: string): number {
  const tokens = tokensOf(before + text);
  return sum(llamaLosses(model, Int32Array.from(tokens)).subarray(tokensOf(before).length - 1));
}

/** The most likely next token, computed without a cache. */
function nextOf(tokens: readonly number[]): number {
  return tf.tidy(() => {
    const { hidden, head } = llamaHidden(model, Int32Array.from(tokens));
    const last = tf.slice(hidden as tf.Tensor2D, [tokens.length - 1, 0], [1, -1]);
    return tf.argMax(tf.matMul(last, head as tf.Tensor2D, false, true), 1).dataSync()[0]!;
  });
}

describe('a source that answers items', () => {
  it('scores continuations by its tokens after the prompt’s, whatever it read before', async () => {
    const source = openSourceModel(model, tokenizer);
    const items = [
      itemOf({ shared: 'A function', prompt: ' returns', continuations: [' a value, unless it throws.', ' nothing'] }),
      itemOf({ shared: 'A function', prompt: ' may throw', continuations: [' an error'] }),
      itemOf({ continuations: [TEXT] }),
      itemOf({ continuations: ['A'] }),
    ];
    for (const item of items) {
      const { nats } = (await source.answer(item, signal))!;
      const before = Buffer.concat([item.shared, item.prompt]).toString();
      for (const [i, text] of item.continuations.entries())
        expect(nats[i]).toBeCloseTo(wanted(before, Buffer.from(text).toString()), 3);
    }
    source.dispose();
  });

  it('counts the tokens of the right continuation', async () => {
    const source = openSourceModel(model, tokenizer);
    const found = await source.answer(itemOf({ continuations: ['x', TEXT], answer: 1 }), signal);
    expect(found!.steps).toBe(tokenizer.encode(TEXT).length);
    source.dispose();
  });

  it('reads texts longer than its window in parts, each token once, from at least half a window before it', async () => {
    const window = 6;
    const tokens = tokensOf(TEXT);
    let expected = 0;
    for (let at = 1; at < tokens.length; at++) {
      // The first window predicts the tokens 1 to 5, each later one three more.
      const begin = at < window ? 0 : window + 3 * Math.floor((at - window) / 3) - 3;
      expected += llamaLosses(model, Int32Array.from(tokens.slice(begin, at + 1))).at(-1)!;
    }
    expect(tokens.length).toBeGreaterThan(2 * window);
    const source = openSourceModel(model, tokenizer, window);
    const { nats } = (await source.answer(itemOf({ continuations: [TEXT] }), signal))!;
    expect(nats[0]).toBeCloseTo(expected, 3);
    const stop = AbortSignal.abort(new Error('stopped'));
    await expect(source.answer(itemOf({ continuations: [TEXT] }), stop)).rejects.toThrow('stopped');
    source.dispose();
  });

  it.each([
    ['of all that precedes them', Number.POSITIVE_INFINITY],
    ['after the last half of a full window, also of a longer prompt', 12],
  ])('writes the most likely tokens %s', async (_, window) => {
    const source = openSourceModel(model, tokenizer, ...(window === Number.POSITIVE_INFINITY ? [] : [window]));
    const writing = { maxBytes: 40, stops: [] };
    const found = await source.answer(itemOf({ prompt: TEXT, continuations: ['x'], writing }), signal);
    let tokens = tokensOf(TEXT);
    expect(tokens.length).toBeGreaterThan(12);
    const expected: number[] = [];
    while (expected.length < 40) {
      if (tokens.length > window) tokens = tokens.slice(-window / 2);
      const next = nextOf(tokens);
      if (model.config.eosIds.includes(next)) break;
      tokens.push(next);
      expected.push(...tokenizer.tokenBytes(next));
    }
    expect([...found!.written!]).toEqual(expected.slice(0, 40));
    expect(expected.length).toBeGreaterThan(0);
    source.dispose();
  });

  it('says if its tokens cannot spell a text', async () => {
    const source = openSourceModel(model, { ...tokenizer, encode: (text) => tokenizer.encode(text.toLowerCase()) });
    expect(await source.answer(itemOf({ continuations: ['Upper case'] }), signal)).toBeNull();
    const invalid = { ...itemOf({ continuations: ['x'] }), continuations: [Uint8Array.of(0xff)] };
    expect(await source.answer(invalid, signal)).toBeNull();
    expect(await source.answer(itemOf({ continuations: ['lower case'] }), signal)).not.toBeNull();
    source.dispose();
  });
});
