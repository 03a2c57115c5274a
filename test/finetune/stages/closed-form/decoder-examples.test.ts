import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BYTE_OFFSET, hashTables } from '../../../../src/blt/index.js';
import type { ByteStore } from '../../../../src/data/index.js';
import { type Engine, startEngine, tf } from '../../../../src/engine/index.js';
import type { StepBatch } from '../../../../src/finetune/batches/step-batch.js';
import { collectExamples, type DecoderExamples } from '../../../../src/finetune/stages/closed-form/decoder-examples.js';
import { param, sourceHead, sourceNorm } from '../../../../src/model/index.js';
import { requireFields } from '../../../../src/patching/index.js';
import { openText } from '../../../support/distillation.js';
import { relativeDifference } from '../../../support/modes.js';
import { type FitInputs, openFitInputs } from '../../support/closed-form.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-examples-'));
const BYTES = 4000;
const WIDTH = 64;
const SLOTS = 3;
let engine: Engine;
let store: ByteStore;
let inputs: FitInputs;
let steps: StepBatch[];
let examples: DecoderExamples;
let leaked: number;

async function* given(): AsyncGenerator<StepBatch> {
  yield* steps;
}

beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  store = await openText(folder);
  inputs = await openFitInputs(folder, store, { crossAttnK: SLOTS, hiddenSize: WIDTH });
  steps = [];
  for await (const batch of inputs.batches('train', BYTES, ['states', 'bytes'])) steps.push(batch);
  const { tiny, layout, model, source } = inputs;
  const before = engine.liveHandles();
  examples = await collectExamples({
    ...{ config: tiny.config, layout, params: model.params(), source, batches: given() },
  });
  leaked = engine.liveHandles() - before;
});
afterAll(async () => {
  await inputs.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const FIELDS = [
  ...(['ids', 'hashRows', 'decoderPatch', 'targets', 'weights', 'targetBounds', 'targetState'] as const),
  ...(['targetWeight', 'sourceStates', 'patchState', 'documents'] as const),
] as const;
const micros = () => steps.flatMap(({ batches }) => batches.map((batch) => requireFields(batch, FIELDS)));

/** Whether two lists of integers are equal: faster than `toEqual`. */
const same = (a: Int32Array, b: Int32Array) => a.length === b.length && a.every((value, i) => value === b[i]);

/** The positions that predict a byte of the same document, in order: the micro-batch and the place in it. */
function predicting() {
  return micros().flatMap((batch, micro) => {
    expect(batch.documents).not.toBeNull();
    const places = Array.from(batch.ids.keys()).filter((at) => {
      const isLast = (at + 1) % batch.length === 0 || batch.documents?.[at + 1] !== batch.documents?.[at];
      return !isLast && batch.ids[at + 1]! >= BYTE_OFFSET && batch.ids[at]! !== 0;
    });
    return places.map((at) => ({ batch, micro, at }));
  });
}

describe('collectExamples', () => {
  it('keeps the positions that predict a byte of their document, and no other', () => {
    const wanted = predicting();
    const positions = micros().reduce((sum, { ids }) => sum + ids.length, 0);
    expect(examples.count).toBeLessThan(positions);
    expect(examples.count).toBeGreaterThan(BYTES / 2);
    expect(examples.count).toBe(wanted.length);
    expect([...examples.ids]).toEqual(wanted.map(({ batch, at }) => batch.ids[at]));
    const tables = hashTables(inputs.tiny.config.hash);
    expect(examples.tables).toBe(tables);
    const rows = wanted.flatMap(({ batch, at }) => [...batch.hashRows.subarray(at * tables, (at + 1) * tables)]);
    expect(same(examples.hashRows, Int32Array.from(rows))).toBe(true);
  });

  it('has expectations that add up to 1, and their entropies', () => {
    const all = examples.expectationsAt(Array.from({ length: examples.count }, (_, i) => i));
    expect(all).toHaveLength(examples.count * 256);
    let [ofSums, ofEntropies] = [0, 0];
    for (let i = 0; i < examples.count; i++) {
      const row = all.subarray(i * 256, (i + 1) * 256);
      const sum = row.reduce((total, p) => total + p, 0);
      const entropy = row.reduce((total, p) => total - (p > 0 ? p * Math.log(p) : 0), 0);
      ofSums = Math.max(ofSums, Math.abs(sum - 1));
      ofEntropies = Math.max(ofEntropies, Math.abs(examples.entropies[i]! - entropy));
    }
    // They are stored in float16.
    expect(ofSums).toBeLessThan(0.002);
    expect(ofEntropies).toBeLessThan(0.01);
    expect(Math.max(...examples.entropies)).toBeGreaterThan(1);
  });

  it('has the source’s expectation of each next byte: the mass of the tokens that go on with it', () => {
    const wanted = predicting();
    const chosen = [0, 7, 400, examples.count - 1];
    const found = examples.expectationsAt(chosen);
    for (const [i, position] of chosen.entries()) {
      const { batch, at } = wanted[position]!;
      const probabilities = tf.tidy(() => {
        const width = inputs.tiny.config.global.hiddenSize;
        const state = batch.targetState[at]! * width;
        const x = tf.tensor2d(batch.sourceStates.slice(state, state + width), [1, width]);
        const normal = tf.mul(
          tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x)), inputs.tiny.config.global.rmsNormEps))),
          sourceNorm(inputs.source),
        );
        return tf
          .softmax(tf.matMul(normal as tf.Tensor2D, sourceHead(inputs.source) as tf.Tensor2D, false, true))
          .dataSync() as Float32Array;
      });
      const bounds = batch.targetBounds.subarray(at * 257, (at + 1) * 257);
      const masses = Array.from({ length: 256 }, (_, byte) => {
        const own = probabilities.subarray(bounds[byte]!, bounds[byte + 1]!);
        return own.reduce((sum, p) => sum + p, 0);
      });
      const total = masses.reduce((sum, mass) => sum + mass, 0);
      const row = found.subarray(i * 256, (i + 1) * 256);
      for (const [byte, mass] of masses.entries()) expect(Math.abs(row[byte]! - mass / total)).toBeLessThan(1e-3);
    }
  });

  it('has the bytes before each next byte in its token: the source’s tokens that go on from there begin with them', () => {
    const { vocabulary } = inputs.teacher.reader;
    const wanted = predicting();
    const lengths = new Set<number>();
    const wrong = wanted.filter(({ batch, at }, i) => {
      const prefix = Buffer.from(examples.prefixes[i]!, 'latin1');
      lengths.add(prefix.length);
      const before = batch.ids.subarray(at + 1 - prefix.length, at + 1).map((id) => id - BYTE_OFFSET);
      const bounds = batch.targetBounds.subarray(at * 257, (at + 1) * 257);
      return !same(before, Int32Array.from(prefix)) || !same(bounds, vocabulary.boundsOf(prefix));
    });
    expect(wrong).toHaveLength(0);
    expect(lengths.size).toBeGreaterThan(3);
  });

  it('has the mean of the normed rows of the patch that each position reads', () => {
    const wanted = predicting();
    const chosen = Array.from({ length: 40 }, (_, i) => Math.floor((i * (examples.count - 1)) / 39));
    const found = examples.valuesAt(chosen);
    const params = inputs.model.params();
    const projection = param(params, 'model.local_decoder.patch_embedding_projection.weight').dataSync();
    const norm = param(params, 'model.local_decoder.cross_attn_layers.0.k_norm.weight').dataSync();
    const { global, decoder } = inputs.tiny.config;
    for (const [i, position] of chosen.entries()) {
      const { batch, at } = wanted[position]!;
      const from = batch.patchState[batch.decoderPatch[at]!]! * global.hiddenSize;
      const state = batch.sourceStates.subarray(from, from + global.hiddenSize);
      const mean = new Float64Array(WIDTH);
      for (let slot = 0; slot < SLOTS; slot++) {
        const row = Array.from({ length: WIDTH }, (_, channel) => {
          const start = (slot * WIDTH + channel) * global.hiddenSize;
          return state.reduce((sum, value, j) => sum + value * projection[start + j]!, 0);
        });
        const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / WIDTH;
        for (const [channel, value] of row.entries())
          mean[channel]! += ((value / Math.sqrt(meanSquare + decoder.rmsNormEps)) * norm[channel]!) / SLOTS;
      }
      expect(relativeDifference(found.subarray(i * WIDTH, (i + 1) * WIDTH), mean)).toBeLessThan(1e-3);
    }
  });

  it('has the mean product of the values of all patches', () => {
    expect(examples.covariance).toHaveLength(WIDTH * WIDTH);
    const trace = examples.covariance.reduce((sum, value, i) => sum + (i % (WIDTH + 1) === 0 ? value : 0), 0);
    // Each row of a patch has WIDTH channels with a mean square of 1; a mean of three rows has less.
    expect(trace).toBeGreaterThan(0.2 * WIDTH);
    expect(trace).toBeLessThanOrEqual(WIDTH * 1.001);
    for (let i = 0; i < WIDTH; i++)
      for (let j = 0; j < i; j++)
        expect(examples.covariance[i * WIDTH + j]).toBeCloseTo(examples.covariance[j * WIDTH + i]!, 4);
  });

  it('leaves no handles', () => {
    expect(leaked).toBe(0);
  });
});
