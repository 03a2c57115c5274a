import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BYTE_OFFSET, VOCAB_SIZE } from '../../../src/blt/index.js';
import { startEngine, tf } from '../../../src/engine/index.js';
import { lossAndGradients } from '../../../src/finetune/loop/gradients.js';
import { endToEndObjective } from '../../../src/finetune/stages/end-to-end.js';
import { createSourceStates } from '../../../src/finetune/teacher/source-states.js';
import {
  BLT_FIELDS,
  batchTensors,
  bltForward,
  llamaHidden,
  openLlamaModel,
  type Params,
} from '../../../src/model/index.js';
import { type Arrays, type BatchWith, requireFields } from '../../../src/patching/index.js';
import { openSourceReading, type SourceReading } from '../../support/source-reading.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-end-to-end-'));
const FIELDS = [
  ...(['targets', 'weights', 'targetWeight', 'targetState', 'targetBounds'] as const),
  ...(['sourceIds', 'sourceDocuments'] as const),
] as const;
let reading: SourceReading;
let batch: BatchWith<Arrays, (typeof FIELDS)[number]>;
let params: Params;

beforeAll(async () => {
  await startEngine({ threads: 2 });
  reading = await openSourceReading(folder);
  const targets = ['states', 'bytes'] as const;
  const [made] = await reading.batches({ rows: 128, targets, rowsPerStep: 2, microBatchRows: 2, count: 1 });
  const frozen = reading.variables;
  const states = createSourceStates({
    config: reading.tiny.config,
    frozen,
    mode: 'graph',
    precision: 'float32',
    cache: null,
  });
  batch = requireFields((await states.add(made!)).batches[0]!, FIELDS);
  await states.close();
  params = new Map([...frozen].map(([name, variable]) => [name, variable.read()]));
});
afterAll(async () => {
  tf.dispose([...params.values()]);
  await reading.close();
  rmSync(folder, { recursive: true, force: true });
});

const logSoftmax = (logits: ArrayLike<number>): number[] => {
  const values = Array.from(logits);
  const most = Math.max(...values);
  const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most;
  return values.map((value) => value - total);
};

/** Row `row` of a matrix with `width` columns. */
const rowOf = <A extends Float32Array | Int32Array>(matrix: A, row: number, width: number): A =>
  matrix.subarray(row * width, (row + 1) * width) as A;

/** The source's probabilities of the next token after every token of the batch, in the order of the sorted vocabulary; from the Llama itself. */
async function sourceProbabilities(): Promise<number[][]> {
  const llama = await openLlamaModel(reading.tiny.source);
  const { order } = reading.source.reader.vocabulary;
  const { sourceIds, sourceDocuments } = batch;
  const found: number[][] = [];
  for (let from = 0; from < sourceIds.length; ) {
    let to = from + 1;
    while (to < sourceIds.length && to % batch.tokens !== 0 && sourceDocuments[to] === sourceDocuments[from]) to++;
    const ids = Int32Array.from(sourceIds.subarray(from, to), (rank) => order[rank]!);
    const logits = tf.tidy(() => {
      const { hidden, head } = llamaHidden(llama, ids);
      return tf.matMul(hidden as tf.Tensor2D, head as tf.Tensor2D, false, true).dataSync() as Float32Array;
    });
    for (let i = 0; i < ids.length; i++) {
      const row = rowOf(logits, i, logits.length / ids.length);
      found.push(logSoftmax(Array.from(order, (id) => row[id]!)).map(Math.exp));
    }
    from = to;
  }
  llama.dispose();
  return found;
}

/** Both losses, computed position by position. */
async function byHand(): Promise<{ crossEntropy: number; kl: number }> {
  const source = await sourceProbabilities();
  const logits = tf.tidy(
    () => bltForward(params, reading.tiny.config, batchTensors(batch, BLT_FIELDS)).dataSync() as Float32Array,
  );
  const sums = { crossEntropy: 0, kl: 0 };
  for (let n = 0; n < batch.targets.length; n++) {
    const logP = logSoftmax(rowOf(logits, n, VOCAB_SIZE));
    sums.crossEntropy -= batch.weights[n]! * logP[batch.targets[n]!]!;
    if (batch.targetWeight[n] === 0) continue;
    const bounds = rowOf(batch.targetBounds as Int32Array, n, 257);
    const tokens = source[batch.targetState[n]!]!;
    const masses = Array.from({ length: 256 }, (_, b) =>
      tokens.slice(bounds[b]!, bounds[b + 1]!).reduce((sum, p) => sum + p, 0),
    );
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    for (const [b, mass] of masses.entries()) {
      const q = mass / total;
      if (q > 0) sums.kl += batch.targetWeight[n]! * q * (Math.log(q) - logP[b + BYTE_OFFSET]!);
    }
  }
  return sums;
}

/** The objective with these weights: its value, its parts, and the gradient of a matrix of the latent global transformer. */
function evaluate(losses: { cross_entropy: number; prefix_kl: number }) {
  const { loss, parts, fields } = endToEndObjective(reading.tiny.config, { frozen: [], losses });
  return tf.tidy(() => {
    const given = batchTensors(batch, fields);
    const name = 'model.global_transformer.layers.0.mlp.up_proj.weight';
    let terms: number[] = [];
    const { loss: value, gradients } = lossAndGradients(new Map([[name, params.get(name)!]]), (now) => {
      const found = loss(new Map([...params, ...now]), given, {});
      terms = found.parts.map((part) => part.dataSync()[0]!);
      return found.value;
    });
    const of = Object.fromEntries(parts.map((part, i) => [part, terms[i]!]));
    return { value: value.dataSync()[0]!, terms: of, gradient: gradients[0]!.dataSync() as Float32Array };
  });
}

describe('the loss of an end-to-end stage', () => {
  it('is the cross-entropy plus the weighted KL divergence from the source, both as computed by hand', async () => {
    const { crossEntropy, kl } = await byHand();
    const { value, terms } = evaluate({ cross_entropy: 1, prefix_kl: 0.3 });
    expect(terms.cross_entropy! / crossEntropy).toBeCloseTo(1, 4);
    expect(terms.prefix_kl! / kl).toBeCloseTo(1, 3);
    expect(kl).toBeGreaterThan(0);
    expect(value / (crossEntropy + 0.3 * kl)).toBeCloseTo(1, 4);
  });

  it('teaches the latent global transformer with the weighted sum of both gradients', () => {
    const both = evaluate({ cross_entropy: 1, prefix_kl: 0.3 });
    const bytes = evaluate({ cross_entropy: 1, prefix_kl: 0 });
    const source = evaluate({ cross_entropy: 0, prefix_kl: 1 });
    const wanted = bytes.gradient.map((value, i) => value + 0.3 * source.gradient[i]!);
    const largest = Math.max(...wanted.map(Math.abs));
    both.gradient.forEach((value, i) => {
      expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-4 * largest);
    });
    expect(Object.keys(source.terms)).toEqual(['prefix_kl']);
  });

  it('is the cross-entropy alone, and reads no field of the source, unless a recipe weights the divergence', () => {
    const { value, terms } = evaluate({ cross_entropy: 1, prefix_kl: 0 });
    expect(terms).toEqual({ cross_entropy: value });
    const { fields, targets } = endToEndObjective(reading.tiny.config, { frozen: [] });
    expect(targets).toEqual([]);
    expect(fields.filter((field) => /^(source|target[A-Z])/.test(field))).toEqual([]);
  });
});
