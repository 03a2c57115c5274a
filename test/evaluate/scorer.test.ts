import { describe, expect, it } from 'vitest';
import { openScorer, scoreTexts } from '../../src/evaluate/index.js';
import { maxDifference } from '../support/golden.js';
import { residentGolden } from '../support/resident-golden.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const LONG = bytes('A text that is longer than a stride, and than a window; ça continue. '.repeat(14));

describe.each(['plain/blt', 'projection-gqa'])('the scorer of %s', (name) => {
  const golden = residentGolden(name);

  it.each([
    ['a byte', LONG.subarray(0, 1)],
    ['less than a stride', LONG.subarray(0, 30)],
    ['a stride', LONG.subarray(0, 32)],
    ['a stride and a byte', LONG.subarray(0, 33)],
    ['many strides', LONG],
  ])('scores %s like the whole text at once', async (_, text) => {
    const scorer = openScorer(golden.resident, { stride: 32 });
    const found = await scorer.score(text);
    const again = await scorer.score(text);
    scorer.dispose();
    const [wanted] = scoreTexts(golden.model.params, golden.model.config, [text]);
    expect(maxDifference(found.nllNats, wanted!.nllNats)).toBeLessThan(1e-4);
    expect(maxDifference(found.entropyNats, wanted!.entropyNats)).toBeLessThan(1e-4);
    expect(found.patchLengths).toEqual(wanted!.patchLengths);
    expect(again).toEqual(found);
  });

  it('scores continuations of a prompt like the whole texts', async () => {
    const prompt = LONG.subarray(0, 75);
    const continuations = ['s', 'continue. A text', 'zzzz', ''].map(bytes);
    const scorer = openScorer(golden.resident, { stride: 32 });
    const found = await scorer.scoreContinuations(prompt, [...continuations, LONG.subarray(75, 175)]);
    scorer.dispose();
    [...continuations, LONG.subarray(75, 175)].forEach((continuation, i) => {
      const whole = Uint8Array.from([...prompt, ...continuation]);
      const wanted = scoreTexts(golden.model.params, golden.model.config, [whole])[0]!.nllNats.subarray(75);
      expect(found[i]!.length).toBe(continuation.length);
      expect(maxDifference(found[i]!, wanted)).toBeLessThan(1e-4);
    });
  });

  it('stops between strides', async () => {
    const scorer = openScorer(golden.resident, { stride: 32 });
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(scorer.score(LONG, { onProgress, signal: controller.signal })).rejects.toThrow('enough');
    scorer.dispose();
  });
});
