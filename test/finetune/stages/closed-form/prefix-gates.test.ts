import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../../../src/engine/index.js';
import type { DecoderExamples } from '../../../../src/finetune/stages/closed-form/decoder-examples.js';
import type { NgramModel } from '../../../../src/finetune/stages/closed-form/ngram-model.js';
import { prefixClusters } from '../../../../src/finetune/stages/closed-form/prefix-clusters.js';
import { ngramSums, prefixGates, unitsOf } from '../../../../src/finetune/stages/closed-form/prefix-gates.js';
import { uniformOf } from '../../../../src/random.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

const WIDTH = 3;
const TABLES = 2;
/** Rows of each of the two hash tables. */
const VOCAB = 4;
const COUNT = 400;
/** The classes of these prefixes are 0, 1 and 2; that of all others is 3. */
const PREFIXES = ['', 'a', 'ab'];
const CLASSES = PREFIXES.length + 1;

const draw = uniformOf('prefix gates');
const noise = () => 2 * draw() - 1;
const randomValues = (length: number) => Float32Array.from({ length }, noise);

/** A model whose sum says little about class 3, and `strength` about the others, besides noise. Its table's first row knows the class. */
function ngramModel(strength: number): NgramModel {
  const tables = randomValues(TABLES * VOCAB * WIDTH).map((value) => 0.1 * value);
  for (let row = 0; row < PREFIXES.length; row++) tables[row * WIDTH + row]! += strength;
  const weights = new Float32Array(CLASSES * WIDTH);
  for (let row = 0; row < PREFIXES.length; row++) weights[row * WIDTH + row] = 2;
  return {
    width: WIDTH,
    bytes: randomValues(260 * WIDTH),
    tables,
    next: { weights: new Float32Array(260 * WIDTH), bias: new Float32Array(260) },
    prefix: { weights, bias: Float32Array.from([0.5, -1, 0, 0.25]) },
    clusters: prefixClusters(
      new Map([
        ['', 3],
        ['a', 2],
        ['ab', 1],
      ]),
    ),
    ngramBytes: 1,
  };
}

/** Positions of random classes; the row in the first hash table is that of the class. */
function examples(): DecoderExamples {
  const classes = Int32Array.from({ length: COUNT }, () => Math.floor(draw() * CLASSES));
  const hashRows = new Int32Array(COUNT * TABLES);
  classes.forEach((prefix, at) => {
    hashRows[at * TABLES] = prefix;
    hashRows[at * TABLES + 1] = VOCAB + Math.floor(draw() * VOCAB);
  });
  return {
    count: COUNT,
    tables: TABLES,
    ids: Int32Array.from({ length: COUNT }, () => Math.floor(draw() * 260)),
    hashRows,
    prefixes: Array.from(classes, (prefix) => PREFIXES[prefix] ?? 'other'),
    entropies: Float32Array.from(classes, (prefix) => 1 + prefix),
    covariance: new Float64Array(0),
    valuesAt: () => new Float32Array(0),
    expectationsAt: () => new Float32Array(0),
  };
}

/** The sum of the rows of a position, in double precision. */
function sumAt({ bytes, tables }: NgramModel, { ids, hashRows }: DecoderExamples, at: number): number[] {
  return Array.from({ length: WIDTH }, (_, i) => {
    let sum = bytes[ids[at]! * WIDTH + i]!;
    for (let table = 0; table < TABLES; table++) sum += tables[hashRows[at * TABLES + table]! * WIDTH + i]!;
    return sum;
  });
}

it('ngramSums adds the row of a byte and those of its n-grams', () => {
  const [model, some] = [ngramModel(2), examples()];
  const sums = ngramSums(model, some, 50);
  expect(sums).toHaveLength(50 * WIDTH);
  for (let at = 0; at < 50; at++)
    for (const [i, value] of sumAt(model, some, at).entries()) expect(sums[at * WIDTH + i]).toBeCloseTo(value, 5);
});

describe('unitsOf', () => {
  it('gives units to classes by the sum of their entropies, to the power of 0.7', () => {
    const classes = Int32Array.from([0, 1, 1, 3]);
    const entropies = Float32Array.from([1, 4, 12, 1]);
    // Sums of 1, 16, 0 and 1; 16 ** 0.7 is 6.96, so that 100 units are divided as 11.2, 77.7, 0 and 11.2.
    expect([...unitsOf(classes, entropies, 4, 100)]).toEqual([11, 78, 0, 11]);
  });

  it('gives none to a class after which the source is certain', () => {
    expect([...unitsOf(Int32Array.from([0, 1]), Float32Array.from([0, 2]), 2, 7)]).toEqual([0, 7]);
  });
});

describe('prefixGates', () => {
  const UNITS = 60;

  /** The mean gate of a class's units where the class is right, and where it is wrong, for the classes that have units. */
  function meanGates(model: NgramModel, some: DecoderExamples) {
    const { weights, bias } = prefixGates(model, some, UNITS);
    expect([weights.length, bias.length]).toEqual([UNITS * WIDTH, UNITS]);
    const classes = Int32Array.from(some.prefixes, model.clusters.of);
    const units = unitsOf(classes, some.entropies, CLASSES, UNITS);
    let first = 0;
    return [...units].map((count, cluster) => {
      const gates = { right: [] as number[], wrong: [] as number[] };
      for (let at = 0; at < COUNT; at++) {
        const sum = sumAt(model, some, at);
        for (let unit = first; unit < first + count; unit++) {
          const gate = sum.reduce((total, value, i) => total + value * weights[unit * WIDTH + i]!, bias[unit]!);
          gates[classes[at] === cluster ? 'right' : 'wrong'].push(gate);
        }
      }
      first += count;
      const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      return { right: mean(gates.right), wrong: mean(gates.wrong) };
    });
  }

  it('are 1 where a unit’s class is right and -1 where it is wrong, on average', () => {
    const gates = meanGates(ngramModel(2), examples());
    expect(gates).toHaveLength(CLASSES);
    for (const { right, wrong } of gates.slice(0, PREFIXES.length)) {
      expect(right).toBeCloseTo(1, 3);
      expect(wrong).toBeCloseTo(-1, 3);
    }
  });

  it('stay small where the model hardly tells a class from others', () => {
    // Logits differ by less than 1: by nothing for class 3, whose readout has no weights, and by 0.4 for the others, besides noise.
    const gates = meanGates(ngramModel(0.2), examples());
    expect(gates[3]!.right).toBeCloseTo(0, 6);
    expect(gates[3]!.wrong).toBeCloseTo(0, 6);
    for (const { right, wrong } of gates.slice(0, PREFIXES.length)) {
      expect(right).toBeCloseTo(-wrong, 3);
      expect(Math.abs(right)).toBeLessThan(0.9);
    }
  });
});
