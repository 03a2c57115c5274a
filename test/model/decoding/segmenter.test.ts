import { describe, expect, it } from 'vitest';
import { tf } from '../../../src/engine/index.js';
import { scoreTexts } from '../../../src/evaluate/index.js';
import { openSegmenter } from '../../../src/model/index.js';
import { maxDifference } from '../../support/golden.js';
import { residentGolden } from '../../support/resident-golden.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const LONG = bytes('A text that is longer than a stride, and than a window; ça continue. '.repeat(60));

describe.each(['plain/blt', 'projection-gqa'])('%s as segmenter', (name) => {
  const golden = residentGolden(name);

  const wantedOf = (text: Uint8Array) => scoreTexts(golden.model.params, golden.model.config, [text])[0]!;

  it.each([
    ['a byte', 1],
    ['a padded stride', 300],
    ['a stride', 512],
    ['a stride and a byte', 513],
    ['strides and a padded one', 1300],
    ['many strides', LONG.length],
  ])('segments %s like the whole text at once', async (_, length) => {
    const text = LONG.subarray(0, length);
    const segmenter = openSegmenter(golden.resident, { stride: 512 });
    const found = await segmenter.segment(text);
    const again = await segmenter.segment(text);
    segmenter.dispose();
    const wanted = wantedOf(text);
    expect(found.entropyNats).toHaveLength(length);
    expect(maxDifference(found.entropyNats, wanted.entropyNats)).toBeLessThan(1e-4);
    expect(found.patchLengths).toEqual(wanted.patchLengths);
    expect(again).toEqual(found);
  });

  it('segments an empty text into BOS alone', async () => {
    const segmenter = openSegmenter(golden.resident);
    const { entropyNats, patchLengths } = await segmenter.segment(new Uint8Array());
    segmenter.dispose();
    expect(entropyNats).toHaveLength(0);
    expect(patchLengths).toEqual([1]);
  });

  it('segments a text in one stride if the patcher has no window', async () => {
    const config = { ...golden.resident.config, patcher: { ...golden.resident.config.patcher, window: null } };
    const text = LONG.subarray(0, 700);
    const segmenter = openSegmenter({ ...golden.resident, config }, { stride: 512 });
    const found = await segmenter.segment(text);
    segmenter.dispose();
    const [wanted] = scoreTexts(golden.model.params, config, [text]);
    expect(maxDifference(found.entropyNats, wanted!.entropyNats)).toBeLessThan(1e-4);
    // The window matters: with it the entropies differ.
    expect(maxDifference(found.entropyNats, wantedOf(text).entropyNats)).toBeGreaterThan(1e-4);
  });

  it('reports progress, stops between strides, and leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    const segmenter = openSegmenter(golden.resident, { stride: 512 });
    const seen: number[] = [];
    const controller = new AbortController();
    const onProgress = (done: number) => {
      seen.push(done);
      if (seen.length === 2) controller.abort(new Error('enough'));
    };
    await expect(segmenter.segment(LONG, { onProgress, signal: controller.signal })).rejects.toThrow('enough');
    expect(seen).toEqual([512, 1024]);
    segmenter.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
