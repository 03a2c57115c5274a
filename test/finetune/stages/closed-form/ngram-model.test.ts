import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BYTE_OFFSET, hashRows } from '../../../../src/blt/index.js';
import { type ByteStore, PACKER_START, type PackedRow } from '../../../../src/data/index.js';
import { type Engine, startEngine } from '../../../../src/engine/index.js';
import { openRows } from '../../../../src/finetune/batches/row-source.js';
import {
  type NgramModel,
  type NgramTraining,
  type Readout,
  trainNgramModel,
} from '../../../../src/finetune/stages/closed-form/ngram-model.js';
import { prefixesOf } from '../../../../src/finetune/stages/closed-form/prefix-clusters.js';
import { locateModel } from '../../../../src/import/index.js';
import { openLlama } from '../../../../src/llama/index.js';
import { openSourceReader, type TokensOf } from '../../../../src/patching/index.js';
import { openText } from '../../../support/distillation.js';
import { abortedAfter } from '../../support/closed-form.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-ngrams-'));
const LENGTH = 256;
const WIDTH = 16;
/** Text that the model is not trained on. */
const SKIPPED = 12_000;
const hash = { sizes: [2, 3, 4, 5], functions: 1, vocab: 2003 };
let engine: Engine;
let store: ByteStore;
let tokensOf: TokensOf;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  store = await openText(folder);
  const llama = await openLlama((await locateModel('builtin:tiny-llama')).path);
  const { vocabSize, bosId, eosIds } = llama.config;
  ({ tokensOf } = await openSourceReader(llama.folder, { vocabSize, bosId, eosIds }));
  await llama.close();
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const training = (change: Partial<NgramTraining> = {}): NgramTraining => ({
  ...{ data: store.train, hash, width: WIDTH, skipBytes: SKIPPED, bytes: 1e9, length: LENGTH, tokensOf, seed: 1 },
  signal: new AbortController().signal,
  ...change,
});

/** The training text as rows, in the packer's order: those that are skipped, and all others. */
async function splitRows(): Promise<{ skipped: PackedRow[]; read: PackedRow[] }> {
  const state = PACKER_START;
  const rows = await openRows({
    kind: 'packed',
    files: store.train.files,
    rowBytes: LENGTH,
    seed: 1,
    state,
    repeat: true,
  });
  const [skipped, read]: [PackedRow[], PackedRow[]] = [[], []];
  let bytes = 0;
  while (rows.state().epoch === 0) {
    const [row] = await rows.next(1);
    if (rows.state().epoch > 0) break;
    (bytes < SKIPPED ? skipped : read).push(row!);
    bytes += row!.byteCount;
  }
  await rows.close();
  return { skipped, read };
}

/** The sum of the rows of a byte and its n-grams at each position of a row [positions * width], straight from the tables. */
function sumsOf({ bytes, tables }: NgramModel, { ids, documents }: PackedRow): Float64Array {
  const sums = new Float64Array(ids.length * WIDTH);
  const count = hash.sizes.length;
  for (const { start, end } of documents) {
    const document = ids.subarray(start, end);
    const rows = hashRows(document, hash);
    document.forEach((id, at) => {
      for (let i = 0; i < WIDTH; i++) {
        let sum = bytes[id * WIDTH + i]!;
        for (let table = 0; table < count; table++) sum += tables[rows[at * count + table]! * WIDTH + i]!;
        sums[(start + at) * WIDTH + i] = sum;
      }
    });
  }
  return sums;
}

function logitsAt({ weights, bias }: Readout, sums: Float64Array, at: number): Float64Array {
  const logits = Float64Array.from(bias);
  for (let row = 0; row < bias.length; row++)
    for (let i = 0; i < WIDTH; i++) logits[row]! += weights[row * WIDTH + i]! * sums[at * WIDTH + i]!;
  return logits;
}

/** Whether a position predicts a byte, not the end of a document. */
const predictsByte = ({ targets, weights }: PackedRow, at: number) => weights[at]! > 0 && targets[at]! >= BYTE_OFFSET;

/** Bits per byte of a row's bytes, for a predictor of the next byte. */
function bitsPerByte(rows: readonly PackedRow[], predictor: (row: PackedRow) => (at: number) => number): number {
  let [bits, bytes] = [0, 0];
  for (const row of rows) {
    const probability = predictor(row);
    for (let at = 0; at < row.ids.length; at++) {
      if (!predictsByte(row, at)) continue;
      bits -= Math.log2(probability(at));
      bytes++;
    }
  }
  return bits / bytes;
}

/** A bigram model of counts, interpolated with the unigram model (which is smoothed by 1), with the best of some weights for the text. */
function countModels(read: readonly PackedRow[], heldOut: readonly PackedRow[]) {
  const [singles, pairs, contexts] = [
    new Float64Array(260).fill(1),
    new Float64Array(260 * 260),
    new Float64Array(260),
  ];
  for (const row of read)
    for (let at = 0; at < row.ids.length; at++) {
      if (!predictsByte(row, at)) continue;
      singles[row.targets[at]!]!++;
      pairs[row.ids[at]! * 260 + row.targets[at]!]!++;
      contexts[row.ids[at]!]!++;
    }
  const total = singles.reduce((sum, count) => sum + count, 0);
  const unigram = (next: number) => singles[next]! / total;
  const bigram = (weight: number) => (row: PackedRow) => (at: number) => {
    const [now, next] = [row.ids[at]!, row.targets[at]!];
    return (pairs[now * 260 + next]! + weight * unigram(next)) / (contexts[now]! + weight);
  };
  return {
    unigram: bitsPerByte(heldOut, (row) => (at) => unigram(row.targets[at]!)),
    bigram: Math.min(...[1, 3, 10, 30].map((weight) => bitsPerByte(heldOut, bigram(weight)))),
  };
}

describe('trainNgramModel', () => {
  let model: NgramModel;
  let skipped: PackedRow[];
  let read: PackedRow[];
  beforeAll(async () => {
    ({ skipped, read } = await splitRows());
    model = await trainNgramModel(training());
  });

  it('reads the training text once, without the part that is left out', () => {
    const bytes = (rows: readonly PackedRow[]) => rows.reduce((sum, { byteCount }) => sum + byteCount, 0);
    expect(bytes(skipped)).toBeGreaterThanOrEqual(SKIPPED);
    expect(bytes(skipped) - SKIPPED).toBeLessThan(LENGTH);
    expect(Math.abs(model.ngramBytes - bytes(read))).toBeLessThan(2 * LENGTH);
    expect(model).toMatchObject({ width: WIDTH });
    expect(model.bytes).toHaveLength(260 * WIDTH);
    expect(model.tables).toHaveLength(hash.sizes.length * hash.vocab * WIDTH);
  });

  it('predicts bytes of text it has not read far better than byte frequencies do, and better than pairs of bytes', () => {
    const found = bitsPerByte(skipped, (row) => {
      const sums = sumsOf(model, row);
      return (at) => {
        const logits = logitsAt(model.next, sums, at);
        const most = Math.max(...logits);
        const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
        return Math.exp(logits[row.targets[at]!]! - most) / total;
      };
    });
    const counts = countModels(read, skipped);
    expect(counts.unigram).toBeGreaterThan(counts.bigram);
    expect(found).toBeLessThan(0.7 * counts.unigram);
    expect(found).toBeLessThan(0.95 * counts.bigram);
  });

  it('tells how much of a token has been read, in text it has not read, far more often than a constant guess', () => {
    const { clusters, prefix } = model;
    const counts = new Float64Array(clusters.count);
    let [right, all] = [0, 0];
    for (const row of skipped) {
      const sums = sumsOf(model, row);
      for (const [at, text] of prefixesOf(row, tokensOf).entries()) {
        if (text === null) continue;
        const logits = logitsAt(prefix, sums, at);
        const wanted = clusters.of(text);
        counts[wanted]!++;
        all++;
        if (logits.indexOf(Math.max(...logits)) === wanted) right++;
      }
    }
    const constant = Math.max(...counts) / all;
    expect(constant).toBeGreaterThan(0.1);
    expect(1 - right / all).toBeLessThan(0.6 * (1 - constant));
  });
});

describe('the n-gram model', () => {
  const some = { bytes: 8000 };

  it('has zero rows without text, and its readouts say nothing', async () => {
    const { ngramBytes, bytes, tables, next, prefix, clusters } = await trainNgramModel(training({ bytes: 0 }));
    expect(ngramBytes).toBe(0);
    for (const values of [bytes, tables, next.bias, prefix.bias])
      expect(values.every((value) => value === 0)).toBe(true);
    expect(prefix.bias).toHaveLength(clusters.count);
    expect(next.bias).toHaveLength(260);
  });

  it('has zero rows where the text that is left out is all there is', async () => {
    const { ngramBytes, tables } = await trainNgramModel(training({ skipBytes: store.train.byteCount }));
    expect(ngramBytes).toBe(0);
    expect(tables.every((value) => value === 0)).toBe(true);
  });

  it('is the same for the same seed, and another for another', async () => {
    const before = engine.liveHandles();
    const [first, again] = [await trainNgramModel(training(some)), await trainNgramModel(training(some))];
    expect(engine.liveHandles()).toBe(before);
    const valuesOf = ({ bytes, tables, next, prefix }: NgramModel) => [
      bytes,
      tables,
      ...Object.values(next),
      ...Object.values(prefix),
    ];
    expect(first.ngramBytes).toBeGreaterThanOrEqual(some.bytes);
    expect(first.tables.some((value) => value !== 0)).toBe(true);
    for (const [i, values] of valuesOf(first).entries())
      expect(Buffer.from(values.buffer).equals(Buffer.from(valuesOf(again)[i]!.buffer))).toBe(true);
    const { tables } = await trainNgramModel(training({ ...some, seed: 2 }));
    expect(Buffer.from(tables.buffer).equals(Buffer.from(first.tables.buffer))).toBe(false);
  });

  it.each([0, 3])(
    'stops when the signal is aborted after %d steps, with its reason and without leaving handles',
    async (steps) => {
      const before = engine.liveHandles();
      const reason = new Error('stop');
      await expect(trainNgramModel(training({ ...some, signal: abortedAfter(steps, reason) }))).rejects.toBe(reason);
      expect(engine.liveHandles()).toBe(before);
    },
  );
});
