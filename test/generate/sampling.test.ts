import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOE, BOS, BPE_DELIMITER, EOS, VOCAB_SIZE } from '../../src/blt/index.js';
import { drawId, nextProbabilities, PLAIN_SAMPLING, type Sampling } from '../../src/generate/sampling.js';
import { generatorOf, uniformOf } from '../../src/random.js';

const NONE: ReadonlySet<number> = new Set();

/** Logits of seven ids; all others are impossible. */
const FEW: Readonly<Record<number, number>> = { 2: 0.5, 4: 2, 5: 1, 6: 0, 7: -1, 8: 3, 9: 2.5 };

const rowOf = (logits: Readonly<Record<number, number>>): Float32Array => {
  const row = new Float32Array(VOCAB_SIZE).fill(Number.NEGATIVE_INFINITY);
  for (const [id, logit] of Object.entries(logits)) row[Number(id)] = logit;
  return row;
};

/** The ids that can be drawn, with their probabilities. */
const found = (
  logits: Float32Array,
  sampling: Partial<Sampling>,
  present: ReadonlySet<number> = NONE,
): Record<number, number> =>
  Object.fromEntries(
    [...nextProbabilities(logits, present, { ...PLAIN_SAMPLING, ...sampling }).entries()].filter(([, p]) => p > 0),
  );

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** Made with the processors of transformers 5.23 in double precision, in the order of its `generate`. */
const GOLDEN: readonly (readonly [string, Partial<Sampling>, readonly number[], Readonly<Record<number, number>>])[] = [
  ['nothing', {}, [], { 2: 0.036322, 4: 0.162783, 5: 0.059885, 6: 0.02203, 7: 0.008105, 8: 0.442491, 9: 0.268384 }],
  [
    'a temperature of 0.5',
    { temperature: 0.5 },
    [],
    { 2: 0.004401, 4: 0.088392, 5: 0.011963, 6: 0.001619, 7: 0.000219, 8: 0.653133, 9: 0.240274 },
  ],
  ['top-k 3', { topK: 3 }, [], { 4: 0.186324, 8: 0.50648, 9: 0.307196 }],
  ['top-p 0.7', { topP: 0.7 }, [], { 8: 0.622459, 9: 0.377541 }],
  ['min-p 0.37', { minP: 0.37 }, [], { 8: 0.622459, 9: 0.377541 }],
  [
    'a repetition penalty of 1.5',
    { repetitionPenalty: 1.5 },
    [1, 8, 7],
    { 2: 0.050651, 4: 0.227001, 5: 0.083509, 6: 0.030721, 7: 0.006855, 8: 0.227001, 9: 0.374262 },
  ],
  [
    'all of them',
    { temperature: 0.8, topK: 5, topP: 0.9, minP: 0.1, repetitionPenalty: 1.3 },
    [1, 8, 7],
    { 4: 0.230558, 8: 0.338702, 9: 0.43074 },
  ],
];

describe('the probabilities of the next byte', () => {
  it.each(GOLDEN)('equal transformers’ with %s', (_, sampling, present, wanted) => {
    const probabilities = found(rowOf(FEW), sampling, new Set(present));
    expect(Object.keys(probabilities)).toEqual(Object.keys(wanted));
    for (const [id, probability] of Object.entries(wanted))
      expect(probabilities[Number(id)]).toBeCloseTo(probability, 6);
  });

  it('at temperature 0 are 1 for the most likely id, the first in a tie', () => {
    expect(found(rowOf(FEW), { temperature: 0 })).toEqual({ 8: 1 });
    expect(found(rowOf({ ...FEW, 200: 3 }), { temperature: 0, topK: 5 })).toEqual({ 8: 1 });
    expect(found(rowOf({ 2: -1, 7: -1 }), { temperature: 0 })).toEqual({ [EOS]: 1 });
    // The penalty comes first.
    expect(found(rowOf(FEW), { temperature: 0, repetitionPenalty: 1.5 }, new Set([8]))).toEqual({ 9: 1 });
  });

  const logitsOfAny = fc
    .array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: VOCAB_SIZE, maxLength: VOCAB_SIZE })
    .map((values) => Float32Array.from(values));
  const anySampling = fc.record({
    temperature: fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 5, noNaN: true })),
    topK: fc.nat(300),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    minP: fc.double({ min: 0, max: 1, noNaN: true }),
    repetitionPenalty: fc.double({ min: 0.5, max: 2, noNaN: true }),
  });
  const anyPresent = fc.uniqueArray(fc.nat(VOCAB_SIZE - 1)).map((ids) => new Set(ids));

  it('sum to 1, and exclude special ids other than EOS, however likely', () => {
    fc.assert(
      fc.property(logitsOfAny, anySampling, anyPresent, (logits, sampling, present) => {
        for (const id of [BOE, BOS, BPE_DELIMITER]) logits[id] = 40;
        const probabilities = nextProbabilities(logits, present, sampling);
        expect(sum(probabilities)).toBeCloseTo(1, 9);
        for (const id of [BOE, BOS, BPE_DELIMITER]) expect(probabilities[id]).toBe(0);
      }),
    );
    expect(found(rowOf({ ...FEW, [EOS]: 20 }), {})[EOS]).toBeGreaterThan(0.99);
  });

  it('keep every id that is more likely than a kept one', () => {
    fc.assert(
      fc.property(logitsOfAny, anySampling, (logits, sampling) => {
        const all = nextProbabilities(logits, NONE, { ...PLAIN_SAMPLING, temperature: sampling.temperature || 1 });
        const left = nextProbabilities(logits, NONE, {
          ...sampling,
          temperature: sampling.temperature || 1,
          repetitionPenalty: 1,
        });
        const kept = [...left.keys()].filter((id) => left[id]! > 0);
        const gone = [...left.keys()].filter((id) => left[id] === 0);
        expect(kept.length).toBeGreaterThan(0);
        if (sampling.topK > 0) expect(kept.length).toBeLessThanOrEqual(sampling.topK);
        expect(Math.min(...kept.map((id) => all[id]!))).toBeGreaterThanOrEqual(Math.max(...gone.map((id) => all[id]!)));
      }),
    );
  });
});

describe('drawing', () => {
  it('returns the id into whose part of [0, 1) the draw falls, and never one of probability 0', () => {
    const probabilities = new Float64Array(VOCAB_SIZE);
    probabilities[EOS] = 0.25;
    probabilities[100] = 0.5;
    probabilities[259] = 0.25;
    expect([0, 0.2499, 0.25, 0.7499, 0.75, 0.9999].map((draw) => drawId(probabilities, draw))).toEqual([
      EOS,
      EOS,
      100,
      100,
      259,
      259,
    ]);
  });

  it('returns the last possible id if rounding leaves the sum below the draw', () => {
    const probabilities = new Float64Array(VOCAB_SIZE);
    probabilities[50] = 0.5;
    probabilities[60] = 0.499;
    expect(drawId(probabilities, 0.9999)).toBe(60);
  });
});

/** The first numbers of xoshiro128** from sha256 of the key, computed with Python's integers. */
it.each([
  ['0', [3542772213, 812230391, 4191414368, 3087389709]],
  ['1', [2863164244, 773016552, 218760040, 1375530481]],
  ['seed/x', [2842008952, 684954802, 4150863173, 4229567400]],
])('a seed determines its stream of numbers: %j', (key, wanted) => {
  const [bits, uniforms] = [generatorOf(key), uniformOf(key)];
  expect(wanted.map(() => bits())).toEqual(wanted);
  expect(wanted.map(() => uniforms())).toEqual(wanted.map((value) => value / 2 ** 32));
});
