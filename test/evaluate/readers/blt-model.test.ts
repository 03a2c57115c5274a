import { describe, expect, it } from 'vitest';
import { encodeBytes } from '../../../src/blt/index.js';
import { scoreTexts } from '../../../src/evaluate/index.js';
import { openBltModel } from '../../../src/evaluate/readers/blt-model.js';
import { openGenerator, PLAIN_SAMPLING } from '../../../src/generate/index.js';
import { residentGolden } from '../../support/resident-golden.js';
import { itemOf } from '../../support/suite-items.js';

const signal = new AbortController().signal;
const LONG = 'A text that is longer than a stride, and than a window; ça continue. '.repeat(5);
const SHARED = LONG.slice(0, 80);

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, one) => total + one, 0);

describe.each(['plain/blt', 'projection-gqa'])('a BLT that answers items: %s', (name) => {
  const golden = residentGolden(name);

  /** The nats of `text` after `before`, from whole texts at once. */
  function wanted(before: string, text: string) {
    const bytes = Buffer.from(before + text);
    const [whole] = scoreTexts(golden.model.params, golden.model.config, [bytes]);
    return sum(whole!.nllNats.subarray(Buffer.byteLength(before)));
  }

  it('scores continuations like whole texts, whatever it answered before', async () => {
    const model = openBltModel(golden.resident, 32);
    const items = [
      itemOf({ continuations: [LONG] }),
      itemOf({
        shared: SHARED,
        prompt: 'Then ',
        continuations: ['one', 'another text that goes on for longer than a stride'],
      }),
      itemOf({ shared: SHARED, prompt: 'Or ', continuations: ['x', ''] }),
      itemOf({ prompt: 'Or ', continuations: ['x'] }),
    ];
    for (const item of items) {
      const { nats } = (await model.answer(item, signal))!;
      const before = Buffer.concat([item.shared, item.prompt]).toString();
      for (const [i, text] of item.continuations.entries())
        expect(nats[i]).toBeCloseTo(wanted(before, Buffer.from(text).toString()), 2);
    }
    model.dispose();
  });

  it('counts the patches of the right continuation', async () => {
    const model = openBltModel(golden.resident, 32);
    const { steps } = (await model.answer(itemOf({ continuations: [LONG] }), signal))!;
    const [whole] = scoreTexts(golden.model.params, golden.model.config, [Buffer.from(LONG)]);
    // Without the patch of BOS.
    expect(steps).toBe(whole!.patchLengths.length - 1);
    model.dispose();
  });

  it('writes the most likely bytes up to a stop', async () => {
    const model = openBltModel(golden.resident, 32);
    const generator = openGenerator(golden.resident, { mode: 'graph' });
    const prompt = [...encodeBytes(Buffer.from(`${SHARED}Then `))];
    const sampling = { ...PLAIN_SAMPLING, temperature: 0 };
    const greedy: number[] = [];
    for await (const { bytes } of generator.generate({ prompt, maxBytes: 24, sampling, seed: 1, stops: [] })[0]!)
      greedy.push(...bytes);
    await generator.close();
    const ask = async (stops: readonly Uint8Array[]) => {
      const writing = { maxBytes: 24, stops };
      const item = itemOf({ shared: SHARED, prompt: 'Then ', continuations: ['x'], writing });
      return [...(await model.answer(item, signal))!.written!];
    };
    expect(await ask([])).toEqual(greedy);
    const stop = Uint8Array.from(greedy.slice(4, 7));
    const expected = Buffer.from(greedy).indexOf(stop);
    expect(await ask([stop])).toEqual(greedy.slice(0, expected));
    model.dispose();
  });

  it('stops between strides', async () => {
    const model = openBltModel(golden.resident, 32);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(model.answer(itemOf({ continuations: [LONG] }), controller.signal)).rejects.toThrow('enough');
    model.dispose();
  });
});
