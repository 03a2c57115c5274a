import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOS, BYTE_OFFSET, EOS, VOCAB_SIZE } from '../../src/blt/index.js';
import { type GenerationRequest, PLAIN_SAMPLING, type WrittenBytes } from '../../src/generate/index.js';
import { createSequences, type Sequence } from '../../src/generate/sequence.js';

const requestOf = (changed: Partial<GenerationRequest> = {}): GenerationRequest => ({
  prompt: [BOS, 70],
  maxBytes: 100,
  sampling: { ...PLAIN_SAMPLING, temperature: 0 },
  seed: 1,
  stops: [],
  ...changed,
});

/** Logits after each id, of a model that always finds one id most likely. */
function logitsOf(likeliest: readonly number[]): Float32Array {
  const logits = new Float32Array(likeliest.length * VOCAB_SIZE);
  likeliest.forEach((id, row) => {
    logits[row * VOCAB_SIZE + id] = 9;
  });
  return logits;
}

/** The entropy of the prediction at a position, and whether a patch ends there: any values that distinguish positions. */
const entropyAt = (position: number) => Math.fround(position / 7);
const closesAt = (position: number) => position % 3 === 0;

/**
 * Runs a sequence with a model that writes `script` and then EOS, in steps of as many ids as `drafts` lists in turn. A drafted id is wrong if the
 * turn is odd.
 */
function run(sequence: Sequence, script: readonly number[], drafts: readonly number[]): void {
  const idAt = (at: number) => (at < script.length ? script[at]! + BYTE_OFFSET : EOS);
  const step = (ids: readonly number[], begin: number) =>
    sequence.draw({
      ids,
      // The script determines what follows the i-th id read, whatever was drafted.
      logits: logitsOf(ids.map((_, i) => idAt(begin + i))),
      entropies: Float32Array.from(ids, (_, i) => entropyAt(begin + i)),
      closed: ids.map((_, i) => closesAt(begin + i)),
    });
  // The last id of the prompt; then `at` bytes are drawn.
  step([70], 0);
  sequence.deliver();
  for (let [turn, at] = [0, 1]; sequence.finish === null; turn++) {
    const length = drafts[turn % drafts.length]!;
    const ids = Array.from({ length }, (_, i) => {
      const right = idAt(at - 1 + i);
      return i > 0 && turn % 2 === 1 ? (right === 200 ? 201 : 200) : right;
    });
    at += step(ids, at);
    sequence.deliver();
  }
}

async function deliveriesOf(sequence: Sequence): Promise<WrittenBytes[]> {
  const deliveries: WrittenBytes[] = [];
  for await (const delivery of sequence.output) deliveries.push(delivery);
  return deliveries;
}

/** Where a text must end: before the first complete stop string, or the longest of those that end together. */
function cutBefore(script: readonly number[], stops: readonly (readonly number[])[]): number | null {
  for (let end = 1; end <= script.length; end++) {
    const starts = stops
      .filter((stop) => stop.length <= end && stop.every((byte, i) => script[end - stop.length + i] === byte))
      .map((stop) => end - stop.length);
    if (starts.length > 0) return Math.min(...starts);
  }
  return null;
}

/** Few letters, so that stop strings occur and overlap. */
const anyLetter = fc.constantFrom(97, 98);
const anyCase = fc.record({
  script: fc.array(anyLetter, { maxLength: 30 }),
  stops: fc.array(fc.array(anyLetter, { minLength: 1, maxLength: 4 }), { maxLength: 3 }),
  maxBytes: fc.integer({ min: 1, max: 35 }),
  drafts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
});

describe('a sequence', () => {
  it('delivers the text up to its stop string, its maximum length or EOS, whatever is drafted, and retracts nothing', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ script, stops, maxBytes, drafts }) => {
        const request = requestOf({ maxBytes, stops: stops.map((stop) => Uint8Array.from(stop)) });
        const [sequence] = createSequences(request, 1);
        run(sequence!, script, drafts);
        const deliveries = await deliveriesOf(sequence!);
        const within = script.slice(0, maxBytes);
        const cut = cutBefore(within, stops);
        const length = cut ?? within.length;
        expect(deliveries.flatMap(({ bytes }) => [...bytes])).toEqual(script.slice(0, length));
        expect(deliveries.flatMap(({ entropyNats }) => [...entropyNats])).toEqual(
          Array.from({ length }, (_, at) => entropyAt(at)),
        );
        expect(deliveries.flatMap(({ beginsPatch }) => beginsPatch)).toEqual(
          Array.from({ length }, (_, at) => closesAt(at)),
        );
        const reason = cut !== null ? 'stop' : script.length >= maxBytes ? 'length' : 'eos';
        expect(deliveries.map(({ finish }) => finish)).toEqual([...deliveries.slice(1).map(() => null), reason]);
      }),
      { numRuns: 300 },
    );
  });

  it('is abandoned when its request is aborted, and throws the reason', async () => {
    const controller = new AbortController();
    const [sequence] = createSequences(requestOf(), 1, { signal: controller.signal });
    expect(sequence!.abandoned).toBe(false);
    controller.abort(new Error('gone'));
    expect(sequence!.abandoned).toBe(true);
    sequence!.fail(new Error('another reason'));
    await expect(deliveriesOf(sequence!)).rejects.toThrow('gone');
  });

  it('is abandoned when its reader stops early', async () => {
    const [sequence] = createSequences(requestOf(), 1);
    run(sequence!, [97, 98, 99], [1]);
    const [broken] = createSequences(requestOf(), 1);
    broken!.draw({ ids: [70], logits: logitsOf([101]), entropies: Float32Array.of(0), closed: [false] });
    broken!.deliver();
    for await (const _ of broken!.output) break;
    expect([sequence!.abandoned, broken!.abandoned]).toEqual([false, true]);
  });

  it('is one of its request’s samples, which have consecutive seeds', async () => {
    const sampling = { ...PLAIN_SAMPLING, temperature: 1 };
    const three = createSequences(requestOf({ sampling, seed: 5, maxBytes: 20 }), 3);
    const alone = createSequences(requestOf({ sampling, seed: 6, maxBytes: 20 }), 1);
    expect(three.every(({ siblings }) => siblings === three[0]!.siblings)).toBe(true);
    expect(three[0]!.siblings).toEqual(three);
    const texts: string[] = [];
    for (const sequence of [...three, ...alone]) {
      while (sequence.finish === null)
        sequence.draw({
          ids: [sequence.next ?? 70],
          logits: new Float32Array(VOCAB_SIZE),
          entropies: Float32Array.of(0),
          closed: [false],
        });
      sequence.deliver();
      texts.push((await deliveriesOf(sequence)).flatMap(({ bytes }) => [...bytes]).join(' '));
    }
    expect(texts[1]).toBe(texts[3]);
    expect(new Set(texts).size).toBe(3);
  });
});
