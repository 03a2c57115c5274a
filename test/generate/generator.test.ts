import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BYTE_OFFSET, EOS, encodeBytes, VOCAB_SIZE } from '../../src/blt/index.js';
import { EngineBackend } from '../../src/engine/backend.js';
import { startEngine, tf } from '../../src/engine/index.js';
import { scoreTexts } from '../../src/evaluate/index.js';
import {
  type GenerationRequest,
  type Generator,
  type GeneratorOptions,
  openGenerator,
  PLAIN_SAMPLING,
  type WrittenBytes,
} from '../../src/generate/index.js';
import { nextProbabilities } from '../../src/generate/sampling.js';
import { type BltModel, cutIntoPatches } from '../../src/model/index.js';
import { wholeRow } from '../../src/patching/index.js';
import { bltLogits } from '../support/blt-logits.js';
import { maxDifference } from '../support/golden.js';
import { openResidentGolden, type ResidentGolden, withConfig } from '../support/resident-golden.js';

let golden: ResidentGolden;
/** A model that writes only the letters a to d, because its heads give all other bytes no weight. Its patcher's drafts are often right and often wrong. */
let letters: ResidentGolden;

/** The same model, except that it ends the text instead of writing a d. */
let ending: ResidentGolden;

const LETTERS = [...'abcd'].map((letter) => letter.charCodeAt(0) + BYTE_OFFSET);

/** Rows [260, hidden] of a head: two directions, each of which favours one id over another. */
function headOf([a, b, c, d]: readonly number[], hidden: number, salt: number): tf.Tensor {
  const values = new Float32Array(VOCAB_SIZE * hidden);
  for (const [pair, [one, other]] of [[a, b] as const, [c, d] as const].entries()) {
    for (let i = 0; i < hidden; i++) {
      const value = Math.sin(12.9898 * (i + 1) + 78.233 * (salt + pair));
      values[one! * hidden + i] = value;
      values[other! * hidden + i] = -value;
    }
  }
  return tf.tensor(values, [VOCAB_SIZE, hidden]);
}

async function openWithHeads(ids: readonly number[]): Promise<ResidentGolden> {
  const opened = await openResidentGolden('plain/blt', (params) => {
    for (const [salt, name] of ['lm_head.weight', 'model.patcher.lm_head.weight'].entries()) {
      const head = params.get(name)!;
      params.set(name, headOf(ids, head.shape[1]!, salt));
      head.dispose();
    }
  });
  return withConfig(opened, { patching: { ...opened.model.config.patching, threshold: 5.3 } });
}

beforeAll(async () => {
  await startEngine({ threads: 2 });
  golden = await openResidentGolden('plain/blt');
  letters = await openWithHeads(LETTERS);
  ending = await openWithHeads([...LETTERS.slice(0, 3), EOS]);
});
afterAll(() => {
  golden.dispose();
  letters.dispose();
  ending.dispose();
});

const GREEDY = { ...PLAIN_SAMPLING, temperature: 0 };
/** For the models of letters: a byte that is not a letter is never among the two most likely. */
const TWO = { ...PLAIN_SAMPLING, topK: 2 };

const requestOf = (text: string, changed: Partial<GenerationRequest> = {}): GenerationRequest => ({
  prompt: [...encodeBytes(Buffer.from(text))],
  maxBytes: 40,
  sampling: PLAIN_SAMPLING,
  seed: 1,
  stops: [],
  ...changed,
});

interface Whole {
  readonly bytes: number[];
  readonly entropyNats: number[];
  readonly beginsPatch: boolean[];
  readonly finish: string | null;
  readonly deliveries: number;
}

async function wholeOf(text: AsyncIterable<WrittenBytes>): Promise<Whole> {
  const deliveries: WrittenBytes[] = [];
  for await (const delivery of text) deliveries.push(delivery);
  expect(deliveries.slice(0, -1).every(({ finish }) => finish === null)).toBe(true);
  return {
    bytes: deliveries.flatMap(({ bytes }) => [...bytes]),
    entropyNats: deliveries.flatMap(({ entropyNats }) => [...entropyNats]),
    beginsPatch: deliveries.flatMap(({ beginsPatch }) => beginsPatch),
    finish: deliveries.at(-1)?.finish ?? null,
    deliveries: deliveries.length,
  };
}

/** Opens a generator for some work. */
async function withGenerator<T>(
  { resident }: ResidentGolden,
  options: GeneratorOptions,
  work: (generator: Generator) => Promise<T>,
): Promise<T> {
  const generator = openGenerator(resident, { mode: 'graph', expectedBytes: 64, ...options });
  try {
    return await work(generator);
  } finally {
    await generator.close();
  }
}

const one = (model: ResidentGolden, request: GenerationRequest, options: GeneratorOptions = {}): Promise<Whole> =>
  withGenerator(model, options, (generator) => wholeOf(generator.generate(request)[0]!));

/** Next-byte logits [n, 260] of the full forward pass. */
function logitsOf({ params, config }: BltModel, ids: readonly number[]): Float32Array {
  const { batch } = cutIntoPatches(params, config, [wholeRow(Int32Array.from(ids))]);
  return tf.tidy(() => bltLogits(params, config, batch).dataSync() as Float32Array);
}

const LONG = 'To be, or not to be, that is the question: whether it is nobler in the mind to suffer. '.repeat(4);

describe('a text', () => {
  it.each([
    ['a short prompt', 'To be', 0],
    ['a prompt of several chunks', LONG, 0],
    ['drafts', 'To be', 4],
  ])('at temperature 0 consists of the full forward pass’s most likely bytes: %s', async (_, prompt, draft) => {
    const request = requestOf(prompt, { sampling: GREEDY });
    const { bytes, finish } = await one(golden, request, { draft });
    expect([bytes.length, finish]).toEqual([40, 'length']);
    const ids = [...request.prompt, ...bytes.map((byte) => byte + BYTE_OFFSET)];
    const logits = logitsOf(golden.model, ids);
    const wanted = bytes.map((_byte, i) => {
      const at = request.prompt.length - 1 + i;
      const row = [...logits.subarray(at * VOCAB_SIZE, (at + 1) * VOCAB_SIZE)].map((logit, id) =>
        id === EOS || id >= BYTE_OFFSET ? logit : Number.NEGATIVE_INFINITY,
      );
      return row.indexOf(Math.max(...row)) - BYTE_OFFSET;
    });
    expect(bytes).toEqual(wanted);
  });

  it('is delivered with the patches and entropies of the whole text', async () => {
    for (const [model, draft] of [
      [golden, 0],
      [letters, 0],
      [letters, 4],
    ] as const) {
      const request = requestOf('Once upon', { maxBytes: 60, seed: 5 });
      const { bytes, entropyNats, beginsPatch } = await one(model, request, { draft });
      const text = Uint8Array.from([...Buffer.from('Once upon'), ...bytes]);
      const [cut] = scoreTexts(model.model.params, model.model.config, [text]);
      expect(maxDifference(entropyNats, cut!.entropyNats.slice(9))).toBeLessThan(1e-4);
      const starts = new Set<number>();
      // Counted in bytes of the text: the first patch is BOS alone.
      cut!.patchLengths.reduce((at, length) => {
        starts.add(at - 1);
        return at + length;
      }, 0);
      const wanted = bytes.map((_, i) => starts.has(9 + i));
      expect(new Set(wanted).size).toBe(2);
      expect(beginsPatch).toEqual(wanted);
    }
  });
});

describe('drafts', () => {
  it.each([
    ['0', GREEDY],
    ['1', TWO],
  ])('change only the number of steps, at temperature %s', async (_, sampling) => {
    const request = requestOf('Once upon', { maxBytes: 80, sampling, seed: 3 });
    const plain = await one(letters, request);
    expect(plain.deliveries).toBe(80);
    for (const draft of [2, 4, 7]) {
      const drafted = await one(letters, request, { draft });
      expect(drafted.bytes).toEqual(plain.bytes);
      expect(drafted.beginsPatch).toEqual(plain.beginsPatch);
      expect(drafted.deliveries).toBeLessThan(80);
    }
  });

  it('are counted, and so are those that are accepted', async () => {
    const request = requestOf('Once upon', { maxBytes: 80, sampling: GREEDY });
    await withGenerator(letters, { draft: 4 }, async (generator) => {
      const { deliveries } = await wholeOf(generator.generate(request)[0]!);
      const { draftedBytes, acceptedBytes } = generator.state();
      // A step writes the byte after the accepted ones.
      expect(acceptedBytes).toBe(80 - deliveries);
      expect(acceptedBytes).toBeGreaterThan(0);
      expect(draftedBytes).toBeGreaterThan(acceptedBytes);
    });
  });

  /** Every text of a given length that can be drawn, with its probability by the full forward pass. */
  function textsAndProbabilities(prompt: readonly number[], count: number): Map<string, number> {
    let texts: { ids: readonly number[]; probability: number }[] = [{ ids: [], probability: 1 }];
    for (let i = 0; i < count; i++) {
      texts = texts.flatMap(({ ids, probability }) => {
        const row = logitsOf(letters.model, [...prompt, ...ids]).slice(-VOCAB_SIZE);
        const next = nextProbabilities(row, new Set(), TWO);
        return [...next.entries()]
          .filter(([, share]) => share > 0)
          .map(([id, share]) => ({ ids: [...ids, id], probability: probability * share }));
      });
    }
    return new Map(texts.map(({ ids, probability }) => [ids.map((id) => id - BYTE_OFFSET).join(' '), probability]));
  }

  it.each([0, 4])('and several slots do not change the distribution of texts, with drafts of %i', async (draft) => {
    const [slots, rounds, maxBytes] = [8, 50, 3];
    const request = requestOf('Hi', { maxBytes, sampling: TWO });
    const likely = textsAndProbabilities(request.prompt, maxBytes);
    expect(likely.size).toBe(8);
    const counts = new Map<string, number>();
    await withGenerator(letters, { slots, draft }, async (generator) => {
      for (let round = 0; round < rounds; round++) {
        const texts = generator.generate({ ...request, seed: round * slots }, { samples: slots });
        for (const { bytes } of await Promise.all(texts.map(wholeOf)))
          counts.set(bytes.join(' '), (counts.get(bytes.join(' ')) ?? 0) + 1);
      }
    });
    expect([...counts.keys()].filter((text) => !likely.has(text))).toEqual([]);
    const chiSquare = [...likely].reduce((sum, [text, probability]) => {
      const expected = probability * slots * rounds;
      expect(expected).toBeGreaterThan(5);
      return sum + ((counts.get(text) ?? 0) - expected) ** 2 / expected;
    }, 0);
    // With 7 degrees of freedom, a correct model exceeds it for one in a thousand choices of seeds.
    expect(chiSquare).toBeLessThan(24.32);
  });
});

describe('several texts at once', () => {
  it('after one prompt equal the texts of their seeds', async () => {
    const request = requestOf(LONG, { maxBytes: 20, seed: 11 });
    const alone = [];
    for (const seed of [11, 12, 13]) alone.push((await one(golden, { ...request, seed })).bytes);
    const together = await withGenerator(golden, { slots: 4 }, async (generator) => {
      const texts = await Promise.all(generator.generate(request, { samples: 3 }).map(wholeOf));
      // The prompt is read once.
      expect(generator.state()).toMatchObject({ promptBytes: request.prompt.length, writtenBytes: 60 });
      return texts;
    });
    expect(together.map(({ bytes }) => bytes)).toEqual(alone);
    expect(new Set(alone.map((bytes) => bytes.join(' '))).size).toBe(3);
  });

  it('of more requests than slots all end, and are not mixed up', async () => {
    const requests = ['a', 'An ant', LONG, 'To be', 'Zebra', 'x'.repeat(70)].map((text, i) =>
      requestOf(text, { maxBytes: 5 + 7 * i, seed: i, sampling: i % 2 === 0 ? PLAIN_SAMPLING : GREEDY }),
    );
    const alone: Whole[] = [];
    for (const request of requests) alone.push(await one(golden, request));
    await withGenerator(golden, { slots: 2 }, async (generator) => {
      const texts = requests.map((request, i) => generator.generate(request, { samples: i === 3 ? 2 : 1 }));
      const { running, waiting } = generator.state();
      expect(running + waiting).toBe(7);
      const found = await Promise.all(texts.map(([text]) => wholeOf(text!)));
      expect(found.map(({ bytes }) => bytes)).toEqual(alone.map(({ bytes }) => bytes));
      expect((await wholeOf(texts[3]![1]!)).bytes).toEqual(alone[3]!.bytes);
      expect(generator.state()).toMatchObject({ running: 0, waiting: 0 });
    });
  });

  it('are at most as many as slots', async () => {
    await withGenerator(golden, { slots: 2 }, async (generator) => {
      expect(() => generator.generate(requestOf('a'), { samples: 3 })).toThrow(
        /3 samples were requested, but at most 2/,
      );
    });
  });
});

describe('the end of a text', () => {
  it('is before the first stop string, no byte of which is shown', async () => {
    const request = requestOf('Once upon', { maxBytes: 80, sampling: TWO, seed: 3 });
    const { bytes } = await one(letters, request);
    const text = Buffer.from(bytes).toString();
    // One that occurs, one with the same beginning, and one that begins earlier and is never complete.
    const stop = text.slice(30, 35);
    const stops = [stop, `${stop.slice(0, 3)}#`, `${text.slice(25, 33)}#`].map((each) =>
      Uint8Array.from(Buffer.from(each)),
    );
    for (const draft of [0, 4]) {
      const cut = await one(letters, { ...request, stops }, { draft });
      expect(Buffer.from(cut.bytes).toString()).toBe(text.slice(0, text.indexOf(stop)));
      expect(cut.finish).toBe('stop');
      expect([cut.entropyNats.length, cut.beginsPatch.length]).toEqual([cut.bytes.length, cut.bytes.length]);
    }
  });

  it('is where the model generates EOS', async () => {
    const request = requestOf('The end', { maxBytes: 60, sampling: GREEDY });
    const { bytes } = await one(letters, request);
    const before = bytes.slice(0, bytes.indexOf('d'.charCodeAt(0)));
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(bytes.length - 1);
    for (const draft of [0, 4]) {
      const found = await one(ending, request, { draft });
      expect(found).toMatchObject({ bytes: before, finish: 'eos' });
    }
  });

  it.each([0, 1, 2])('is after %i bytes if no more are requested', async (maxBytes) => {
    await withGenerator(letters, { slots: 2 }, async (generator) => {
      const texts = generator.generate(requestOf(LONG, { maxBytes, sampling: TWO }), { samples: 2 });
      for (const { bytes, finish } of await Promise.all(texts.map(wholeOf)))
        expect([bytes.length, finish]).toEqual([maxBytes, 'length']);
      expect(generator.state()).toMatchObject({ running: 0, writtenBytes: 2 * maxBytes });
    });
    await withGenerator(letters, {}, async (generator) => {
      const text = await wholeOf(generator.generate(requestOf('Hi', { maxBytes, sampling: TWO }))[0]!);
      expect([text.bytes.length, text.finish]).toEqual([maxBytes, 'length']);
    });
  });

  it.each([0, 4])('is at the model’s maximum length, including the prompt, with drafts of %i', async (draft) => {
    const short = withConfig(letters, {
      encoder: { ...letters.model.config.encoder, maxPositions: 30 },
      maxPositions: 4,
    });
    const whole = await one(letters, requestOf('x'.repeat(20), { sampling: TWO }));
    const found = await one(short, requestOf('x'.repeat(20), { sampling: TWO }), { draft });
    // BOS and 29 bytes are 30 positions. The config's other maximum counts patches.
    expect(found).toMatchObject({ bytes: whole.bytes.slice(0, 9), finish: 'length' });
    expect((await one(short, requestOf('x'.repeat(28)), { draft })).bytes.length).toBe(1);
    await withGenerator(short, { draft }, async (generator) => {
      expect(() => generator.generate(requestOf('x'.repeat(29)))).toThrow(
        /29 bytes long; prompt and generated text together are limited to 29 bytes/,
      );
    });
  });
});

describe('an abandoned text', () => {
  it('frees its slot for the next, and throws the reason', async () => {
    await withGenerator(golden, {}, async (generator) => {
      const controller = new AbortController();
      const [first] = generator.generate(requestOf('a', { maxBytes: 900 }), { signal: controller.signal });
      const [second] = generator.generate(requestOf('To be', { maxBytes: 10, sampling: GREEDY }));
      const reason = new Error('gone');
      const seen: number[] = [];
      const reading = (async () => {
        for await (const { bytes } of first!) {
          seen.push(...bytes);
          if (seen.length === 5) controller.abort(reason);
        }
      })();
      await expect(reading).rejects.toBe(reason);
      expect(seen.length).toBeLessThan(20);
      const alone = await one(golden, requestOf('To be', { maxBytes: 10, sampling: GREEDY }));
      expect((await wholeOf(second!)).bytes).toEqual(alone.bytes);
      expect(generator.state()).toMatchObject({ running: 0, waiting: 0 });
    });
  });

  it('frees its slot if its reader stops early, and does not affect its siblings', async () => {
    await withGenerator(golden, { slots: 2 }, async (generator) => {
      const request = requestOf('To be', { maxBytes: 40 });
      const [first, sibling] = generator.generate(request, { samples: 2 });
      const [next] = generator.generate(requestOf('b', { maxBytes: 3 }));
      const reading = wholeOf(sibling!);
      for await (const { bytes } of first!) if (bytes.length > 0) break;
      const others = [await wholeOf(next!), await reading].map(({ bytes }) => bytes);
      expect(others[0]).toHaveLength(3);
      expect(others[1]).toEqual((await one(golden, { ...request, seed: request.seed + 1 })).bytes);
      const { writtenBytes, ...state } = generator.state();
      expect(state).toMatchObject({ running: 0, waiting: 0 });
      const ofFirst = writtenBytes - others.flat().length;
      expect(ofFirst).toBeLessThan((await one(golden, request)).bytes.length / 2);
    });
  });

  it('leaves the queue at once', async () => {
    await withGenerator(golden, {}, async (generator) => {
      const controller = new AbortController();
      const [first] = generator.generate(requestOf('a', { maxBytes: 60 }));
      const [second] = generator.generate(requestOf('b'), { signal: controller.signal });
      controller.abort(new Error('gone'));
      await expect(wholeOf(second!)).rejects.toThrow('gone');
      expect(generator.state()).toMatchObject({ running: 1, waiting: 0 });
      expect(generator.state().writtenBytes).toBeLessThan(60);
      expect((await wholeOf(first!)).bytes.length).toBe(60);
    });
  });

  it('ends even if its steps run operation by operation, which never yield', async () => {
    await withGenerator(golden, { mode: 'eager' }, async (generator) => {
      const signal = AbortSignal.timeout(150);
      const [text] = generator.generate(requestOf('a', { maxBytes: 400 }), { signal });
      await expect(wholeOf(text!)).rejects.toThrow(/timeout/);
      expect(generator.state().writtenBytes).toBeLessThan(400);
    });
  });
});

it('a generator that is closed ends every text with an error, and begins no other', async () => {
  const generator = openGenerator(golden.resident, { mode: 'graph', slots: 1 });
  const [running] = generator.generate(requestOf('a', { maxBytes: 900 }));
  const [waiting] = generator.generate(requestOf('b'));
  const ends = [running!, waiting!].map((text) => expect(wholeOf(text)).rejects.toThrow('The generator was closed.'));
  await generator.close();
  await Promise.all(ends);
  expect(() => generator.generate(requestOf('c'))).toThrow('The generator is closed.');
});

it.each([
  [1, 0],
  [7, 4],
])('a generator of %i slots writes the same text after warmUp', async (slots, draft) => {
  const request = requestOf('To be', { maxBytes: 12, sampling: TWO });
  const alone = await one(letters, request);
  await withGenerator(letters, { slots, draft }, async (generator) => {
    await generator.warmUp();
    const texts = await Promise.all(generator.generate(request, { samples: slots }).map(wholeOf));
    expect(texts[0]!.bytes).toEqual(alone.bytes);
    expect(generator.state()).toMatchObject({ promptBytes: request.prompt.length, writtenBytes: 12 * slots });
  });
});

it('a generator compiles nothing for a few bytes, and compiles in the background for many, with the same text', async () => {
  const calls = vi.spyOn(EngineBackend.prototype, 'callFunction');
  const compiles = () => calls.mock.calls.some(([, , mode]) => mode === 'xla');
  const request = requestOf('Once upon', { maxBytes: 990, sampling: TWO });
  try {
    const few = await one(letters, request, { mode: 'xla' });
    expect(compiles()).toBe(false);
    await withGenerator(letters, { mode: 'xla' }, async (generator) => {
      // As long as the model can read, so that both requests together justify compilation.
      const texts = [generator.generate({ ...request, maxBytes: 100 }), generator.generate(request)];
      const [, many] = await Promise.all(texts.map(([text]) => wholeOf(text!)));
      expect(many!.bytes).toEqual(few.bytes);
      expect(many!.beginsPatch).toEqual(few.beginsPatch);
      expect(compiles()).toBe(true);
    });
  } finally {
    calls.mockRestore();
  }
});
