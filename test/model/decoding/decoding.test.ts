import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type BltConfig, encodeBytes, patchStarts } from '../../../src/blt/index.js';
import { EngineBackend } from '../../../src/engine/backend.js';
import { startEngine, tf } from '../../../src/engine/index.js';
import { type Decoding, type DecodingOptions, openDecoding } from '../../../src/model/decoding/decoding.js';
import type { ResidentModel } from '../../../src/model/decoding/resident-model.js';
import { type BltModel, cutIntoPatches } from '../../../src/model/index.js';
import { wholeRow } from '../../../src/patching/index.js';
import { bltLogits } from '../../support/blt-logits.js';
import { maxDifference } from '../../support/golden.js';
import { openOneRow } from '../../support/one-row.js';
import { openResidentGolden, type ResidentGolden, withConfig } from '../../support/resident-golden.js';

const TOLERANCE = 1e-4;

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

const withPatching = (opened: ResidentGolden, patching: Partial<BltConfig['patching']>): ResidentGolden =>
  withConfig(opened, { patching: { ...opened.model.config.patching, ...patching } });

/** The full forward pass over the whole text. Its logits are those of every prefix, because the model is causal. */
function whole({ params, config }: BltModel, ids: Int32Array) {
  const { batch, patchLengths, entropies } = cutIntoPatches(params, config, [wholeRow(ids)]);
  const logits = tf.tidy(() => bltLogits(params, config, batch).dataSync() as Float32Array);
  return { logits, entropies, patches: patchLengths[0]![0]!.length };
}

/** Reads texts in parallel slots, in chunks of the given lengths in turn. */
async function read(
  resident: ResidentModel,
  texts: readonly Int32Array[],
  chunkLengths: readonly number[],
  options: Partial<DecodingOptions> = {},
) {
  const decoding = openDecoding(resident, { slots: texts.length, mode: 'graph', ...options });
  const found = texts.map(() => ({ logits: [] as number[], entropies: [] as number[] }));
  const at = texts.map(() => 0);
  for (let turn = 0; texts.some((ids, slot) => at[slot]! < ids.length); turn++) {
    const part = texts.map((ids, slot) =>
      ids.subarray(at[slot]!, at[slot]! + chunkLengths[(turn + slot) % chunkLengths.length]!),
    );
    const outputs = await decoding.read(part);
    outputs.forEach(({ logits, entropies }, slot) => {
      at[slot]! += part[slot]!.length;
      found[slot]!.logits.push(...logits);
      found[slot]!.entropies.push(...entropies);
    });
  }
  const states = texts.map((_, slot) => decoding.state(slot));
  decoding.dispose();
  return found.map((one, slot) => ({ ...one, ...states[slot]! }));
}

function expectWhole(model: BltModel, ids: Int32Array, found: Awaited<ReturnType<typeof read>>[number]) {
  const { logits, entropies, patches } = whole(model, ids);
  expect(found.length).toBe(ids.length);
  expect(maxDifference(found.entropies, entropies)).toBeLessThan(TOLERANCE);
  // Canonical lengths include the open patch.
  expect(found.ends.length + 1).toBe(patches);
  expect(maxDifference(found.logits, logits)).toBeLessThan(TOLERANCE);
}

const textOf = (length: number) =>
  encodeBytes(Buffer.from('To be, or not to be: that is the question – '.repeat(100)).subarray(0, length));

describe.each([
  ['plain/blt', openResidentGolden],
  ['projection-gqa', openResidentGolden],
  ['one row per patch', () => openOneRow(2)],
  ['one row per patch and one key-value head', () => openOneRow(1)],
])('incremental decoding of %s', (name, open) => {
  let opened: ResidentGolden;
  beforeAll(async () => {
    opened = await open(name);
  });
  afterAll(() => {
    opened.dispose();
  });

  it.each([
    ['byte by byte', [1]],
    ['in chunks', [7, 1, 20, 3]],
    ['as one prompt', [1000]],
  ])('%s gives the logits of the full forward pass', async (_, chunkLengths) => {
    const ids = textOf(150);
    const [found] = await read(opened.resident, [ids], chunkLengths, { chunk: 16 });
    expectWhole(opened.model, ids, found!);
  });

  it('gives the logits of the full forward pass over 4,000 bytes, far beyond the window', async () => {
    const ids = textOf(4000);
    const [found] = await read(opened.resident, [ids], [300, 1, 1, 64, 1, 17]);
    expectWhole(opened.model, ids, found!);
  });

  it('keeps slots of different lengths separate', async () => {
    const texts = [textOf(90), textOf(33).map((id) => (id % 200) + 4), Int32Array.from([1]), textOf(61).toReversed()];
    texts[3]![0] = 1;
    const found = await read(opened.resident, texts, [5, 1, 11], { chunk: 8 });
    texts.forEach((ids, slot) => {
      expectWhole(opened.model, ids, found[slot]!);
    });
  });

  it.each([1, 3])('reads more than %i slots of one byte each in one step', async (separateSlots) => {
    const texts = [textOf(40), textOf(25).map((id) => (id % 180) + 9), textOf(40).toReversed()];
    for (const ids of texts) ids[0] = 1;
    const found = await read(opened.resident, texts, [1], { chunk: 8, separateSlots });
    texts.forEach((ids, slot) => {
      expectWhole(opened.model, ids, found[slot]!);
    });
  });

  it('gives the patches of the whole text, whatever chunks it is read in', async () => {
    const ids = textOf(60);
    const { entropies } = whole(opened.model, ids);
    const sorted = entropies.slice().sort();
    const decodings = new Map<number, Decoding>();
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
          fc.constantFrom(0.2, 0.5, 0.8),
          async (chunkLengths, share) => {
            // Halfway between two entropies, so that rounding does not matter.
            const at = Math.floor(share * sorted.length);
            const threshold = (sorted[at]! + sorted[at + 1]!) / 2;
            const wanted = [...patchStarts(entropies, threshold)].filter((start) => start > 0);
            const decoding =
              decodings.get(share) ??
              openDecoding(withPatching(opened, { threshold }).resident, { slots: 1, mode: 'graph', chunk: 16 });
            decodings.set(share, decoding);
            decoding.reset(0);
            const closed: boolean[] = [];
            for (let [turn, from] = [0, 0]; from < ids.length; turn++) {
              const length = chunkLengths[turn % chunkLengths.length]!;
              const [output] = await decoding.read([ids.subarray(from, from + length)]);
              closed.push(...output!.closed);
              from += length;
            }
            expect(decoding.state(0).ends).toEqual(wanted);
            expect(closed.flatMap((isEnd, position) => (isEnd ? [position + 1] : []))).toEqual(wanted);
          },
        ),
        { numRuns: 20 },
      );
    } finally {
      for (const decoding of decodings.values()) decoding.dispose();
    }
  });

  it('gives the same logits while its steps are compiled in the background and its caches grow', async () => {
    const often = withPatching(opened, { threshold: -1 });
    const ids = textOf(60);
    const decoding = openDecoding(often.resident, { slots: 1, mode: 'xla', chunk: 16, patches: 4 });
    const calls = vi.spyOn(EngineBackend.prototype, 'callFunction');
    /** How steps ran since the last call. */
    const modes = () => {
      const found = new Set(calls.mock.calls.map(([, , mode]) => mode));
      calls.mockClear();
      return [...found];
    };
    const logits: number[] = [];
    const readTo = async (length: number) => {
      for (let at = decoding.state(0).length; at < length; at++)
        logits.push(...(await decoding.read([[ids[at]!]]))[0]!.logits);
    };
    await readTo(3);
    expect(modes()).toEqual(['graph']);
    const compiled = decoding.compileInBackground();
    await readTo(20);
    await compiled;
    modes();
    // One patch per byte: above 32 patches the capacity is exceeded, and a step for the larger caches must be created and compiled.
    await readTo(31);
    expect(modes()).toEqual(['xla']);
    await readTo(ids.length);
    await decoding.compileInBackground();
    calls.mockRestore();
    decoding.dispose();
    expect(maxDifference(logits, whole(often.model, ids).logits)).toBeLessThan(TOLERANCE);
  });

  it('rewinds, and continues with other ids', async () => {
    const ids = textOf(90);
    const other = ids.map((id, at) => (at < 50 ? id : ((id * 7) % 250) + 4));
    const decoding = openDecoding(opened.resident, { slots: 1, mode: 'graph', chunk: 16 });
    await decoding.read([other.subarray(0, 62)]);
    decoding.rewind(0, 50);
    expect(() => decoding.rewind(0, 40)).toThrow('cannot be rewound to 40');
    const [output] = await decoding.read([ids.subarray(50)]);
    const { ends } = decoding.state(0);
    decoding.dispose();
    const { logits, patches } = whole(opened.model, ids);
    expect(maxDifference(output!.logits, logits.subarray(50 * 260))).toBeLessThan(TOLERANCE);
    expect(ends.length + 1).toBe(patches);
  });

  it('refuses to rewind to a patch whose bytes have been overwritten', async () => {
    const never = withConfig(opened, { patching: { threshold: 1e9, maxPatchLength: 53 } });
    const decoding = openDecoding(never.resident, { slots: 1, mode: 'graph', chunk: 16 });
    // The patch of positions 1 to 53 closes in a ring buffer of 64, in which its first positions are overwritten from the 65th on.
    const ids = textOf(67);
    await decoding.read([ids.subarray(0, 64)]);
    for (const id of ids.subarray(64)) await decoding.read([[id]]);
    expect(() => decoding.rewind(0, 53)).toThrow('cannot be rewound to 53');
    decoding.rewind(0, 54);
    decoding.dispose();
  });

  it('forks a sequence, which then continues in several ways', async () => {
    const prompt = textOf(77);
    const ways = [textOf(120).subarray(78), textOf(110).subarray(60), Int32Array.from([200, 4, 5])];
    const decoding = openDecoding(opened.resident, { slots: 3, mode: 'graph', chunk: 8, patches: 16 });
    await decoding.read([prompt, [1, 90], []]);
    for (const way of ways) {
      decoding.fork(0, 2);
      const outputs = await decoding.read([[], [], way]);
      const { logits } = whole(opened.model, Int32Array.from([...prompt, ...way]));
      expect(maxDifference(outputs[2]!.logits, logits.subarray(prompt.length * 260))).toBeLessThan(TOLERANCE);
    }
    // The other slots have not changed.
    const [first, second] = await decoding.read([Int32Array.from([66]), Int32Array.from([91]), []]);
    decoding.dispose();
    const afterFirst = whole(opened.model, Int32Array.from([...prompt, 66])).logits;
    expect(maxDifference(first!.logits, afterFirst.subarray(prompt.length * 260))).toBeLessThan(TOLERANCE);
    const afterSecond = whole(opened.model, Int32Array.from([1, 90, 91])).logits;
    expect(maxDifference(second!.logits, afterSecond.subarray(2 * 260))).toBeLessThan(TOLERANCE);
  });

  it('forks a sequence into several slots, and reads a few ids into each in one step', async () => {
    const prompt = textOf(200);
    const ways = [textOf(220).subarray(201), Int32Array.from([200]), textOf(110).subarray(70)];
    const decoding = openDecoding(opened.resident, { slots: 4, mode: 'graph', chunk: 256, together: true });
    await decoding.read([prompt]);
    decoding.fork(0, 1, 2, 3);
    const outputs = await decoding.read([[], ...ways]);
    ways.forEach((way, i) => {
      const { logits, entropies } = whole(opened.model, Int32Array.from([...prompt, ...way]));
      const { logits: found, entropies: foundEntropies } = outputs[i + 1]!;
      expect(maxDifference(found, logits.subarray(prompt.length * 260))).toBeLessThan(TOLERANCE);
      expect(maxDifference(foundEntropies, entropies.subarray(prompt.length))).toBeLessThan(TOLERANCE);
    });
    expect(() => decoding.rewind(1, prompt.length - 1)).toThrow('none that were read before it was copied');
    decoding.rewind(1, prompt.length);
    const [, again] = await decoding.read([[], ways[2]!]);
    decoding.dispose();
    expect(maxDifference(again!.logits, outputs[3]!.logits)).toBeLessThan(TOLERANCE);
  });

  it('runs the patcher again only for ids that it did not draft', async () => {
    const loose = withPatching(opened, { threshold: 100 });
    const ids = textOf(40);
    const decoding = openDecoding(loose.resident, { slots: 1, mode: 'graph', chunk: 16, draft: 4 });
    await decoding.read([ids]);
    const drafted = await decoding.draft(0, 70);
    expect(drafted.length).toBe(4);
    expect(drafted[0]).toBe(70);
    const [taken] = await decoding.read([drafted]);
    const { logits, entropies } = whole(loose.model, Int32Array.from([...ids, ...drafted]));
    expect(maxDifference(taken!.logits, logits.subarray(ids.length * 260))).toBeLessThan(TOLERANCE);
    expect(maxDifference(taken!.entropies, entropies.subarray(ids.length))).toBeLessThan(TOLERANCE);
    await decoding.draft(0, 80);
    const [other] = await decoding.read([[81, 82]]);
    const { logits: fresh } = whole(loose.model, Int32Array.from([...ids, ...drafted, 81, 82]));
    expect(maxDifference(other!.logits, fresh.subarray((ids.length + 4) * 260))).toBeLessThan(TOLERANCE);
    decoding.dispose();
  });

  it.each([
    ['patches that never close', { threshold: 100 }],
    ['one patch per byte', { threshold: -1 }],
    ['a maximum patch length', { threshold: 100, maxPatchLength: 3 }],
  ])('gives the logits of the full forward pass with %s', async (_, patching) => {
    const changed = withPatching(opened, patching);
    const ids = textOf(120);
    const [found] = await read(changed.resident, [ids], [1, 30], { chunk: 8 });
    expectWhole(changed.model, ids, found!);
  });
});
