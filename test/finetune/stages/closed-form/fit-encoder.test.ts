import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENCODER_FIT_EPOCHS } from '../../../../src/blt/index.js';
import type { ByteStore } from '../../../../src/data/index.js';
import { type Engine, startEngine, tf } from '../../../../src/engine/index.js';
import type { StepBatch } from '../../../../src/finetune/batches/step-batch.js';
import type { Tensors } from '../../../../src/finetune/stages/closed-form/encoder-tensors.js';
import { fitEncoder } from '../../../../src/finetune/stages/closed-form/fit-encoder.js';
import {
  BYTE_EMBEDDINGS,
  fitTables,
  HASH_EMBEDDINGS,
  tablesOf,
  vocabularyTexts,
} from '../../../../src/finetune/stages/closed-form/fit-tables.js';
import { OBSERVED_FIELDS, observedTexts } from '../../../../src/finetune/stages/closed-form/fitting-text.js';
import { type Observations, openObservations } from '../../../../src/finetune/stages/closed-form/observations.js';
import { batchTensors, bltEncode, ENCODER_FIELDS } from '../../../../src/model/index.js';
import { requireFields } from '../../../../src/patching/index.js';
import { openText } from '../../../support/distillation.js';
import { abortedAfter, type FitInputs, openFitInputs, SEED } from '../../support/closed-form.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-encoder-'));
const MLP = 'model.local_encoder.layers.0.mlp';
let engine: Engine;
let store: ByteStore;
let inputs: FitInputs;
let seen: Observations;
let heldOut: StepBatch[];
/** Tables without content, whose spare channels have small numbers. */
let empty: Tensors;
let [backOff, tables, feedForward]: Tensors[] = [];
let positions: number[];
let leaked: number;

const { signal } = new AbortController();
const fitWith = (withUnits: boolean, from = seen, given = signal) =>
  fitEncoder({
    ...{ config: inputs.tiny.config, layout: inputs.layout, seen: from, tables: tablesOf(empty) },
    ...{ feedForward: withUnits, seed: SEED, signal: given },
  });

beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  store = await openText(folder);
  inputs = await openFitInputs(folder, store, { crossAttnK: 3, hiddenSize: 64 });
  const { vectors, teacher, layout } = inputs;
  const { config } = inputs.tiny;
  seen = openObservations(join(folder, 'observed.bin'), vectors);
  for (const entry of vocabularyTexts(teacher.reader, vectors, 1)) await seen.add(entry);
  for await (const { batches } of inputs.batches('train', 1e9, ['encoder']))
    for (const micro of batches)
      for (const text of observedTexts(requireFields(micro, OBSERVED_FIELDS), vectors)) await seen.add(text);
  heldOut = [];
  for await (const batch of inputs.batches('validation', 1e9, ['encoder'])) heldOut.push(batch);
  backOff = await fitTables(config, layout, seen, true);
  empty = await fitTables(config, layout, seen, false);
  for (const values of empty.values())
    for (let at = layout.content; at < values.length; at += layout.width)
      for (let i = 0; i < layout.spare; i++) values[at + i] = 0.02 * Math.sin(at + i);
  const before = engine.liveHandles();
  const fits = [await fitWith(false), await fitWith(true)];
  leaked = engine.liveHandles() - before;
  [tables, feedForward] = fits.map(({ tensors }) => tensors);
  positions = fits.map(({ positions: count }) => count);
});
afterAll(async () => {
  await seen.close();
  await inputs.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * The squared error of the content of the last byte's state in each held-out patch that is one token, relative to the variance of the tokens'
 * vectors: 1 for a model that returns their mean.
 */
function heldOutError(tensors: Tensors): { error: number; patches: number } {
  const { model, layout, vectors } = inputs;
  const { width, content } = layout;
  model.replace(tensors);
  let [patches, squared] = [0, 0];
  const [sums, squares] = [new Float64Array(content), new Float64Array(content)];
  for (const { batches } of heldOut)
    for (const micro of batches) {
      const encoded = tf.tidy(
        () => bltEncode(model.params(), inputs.tiny.config, batchTensors(micro, ENCODER_FIELDS)).bytes,
      );
      const states = encoded.dataSync() as Float32Array;
      encoded.dispose();
      const { length, encoderPatch, patchToken, patchWeight } = requireFields(micro, OBSERVED_FIELDS);
      for (let at = 0; at < encoderPatch.length; at++) {
        const patch = encoderPatch[at]!;
        if (patchWeight[patch] === 0 || ((at + 1) % length !== 0 && encoderPatch[at + 1] === patch)) continue;
        patches++;
        for (let i = 0; i < content; i++) {
          const wanted = vectors[patchToken[patch]! * content + i]!;
          sums[i]! += wanted;
          squares[i]! += wanted ** 2;
          squared += (states[at * width + i]! - wanted) ** 2;
        }
      }
    }
  const variance = squares.reduce((sum, square, i) => sum + square - sums[i]! ** 2 / patches, 0);
  return { error: squared / variance, patches };
}

describe('fitEncoder', () => {
  it('comes closer to the embeddings at the ends of patches of held-out text with feed-forward units', () => {
    const [ofBackOff, ofTables, ofUnits] = [backOff!, tables!, feedForward!].map(heldOutError);
    expect(ofBackOff!.patches).toBeGreaterThan(1000);
    expect(ofBackOff!.error).toBeLessThan(1);
    expect(ofUnits!.error).toBeLessThan(0.99 * ofBackOff!.error);
    expect(ofUnits!.error).toBeLessThan(0.99 * ofTables!.error);
    // With so little text, steps alone gain nothing over means.
    expect(ofTables!.error).toBeLessThan(1.1 * ofBackOff!.error);
  });

  it('changes only the content channels of the tables', () => {
    const { width, content } = inputs.layout;
    for (const fitted of [tables!, feedForward!])
      for (const name of [BYTE_EMBEDDINGS, HASH_EMBEDDINGS]) {
        const [found, before] = [fitted.get(name)!, empty.get(name)!];
        expect(found).toHaveLength(before.length);
        let [changed, moved] = [0, 0];
        found.forEach((value, at) => {
          if (value === before[at]) return;
          if (at % width < content) moved++;
          else changed++;
        });
        expect([name, changed]).toEqual([name, 0]);
        expect(moved).toBeGreaterThan(content * 50);
      }
  });

  it('lets units write the content channels alone, and has none with tables only', () => {
    const { width, content } = inputs.layout;
    const { intermediateSize } = inputs.tiny.config.encoder;
    expect([...tables!.keys()].sort()).toEqual([BYTE_EMBEDDINGS, HASH_EMBEDDINGS].sort());
    expect([...feedForward!.keys()].sort()).toEqual(
      [BYTE_EMBEDDINGS, HASH_EMBEDDINGS, ...['gate', 'up', 'down'].map((name) => `${MLP}.${name}_proj.weight`)].sort(),
    );
    const down = feedForward!.get(`${MLP}.down_proj.weight`)!;
    expect(down).toHaveLength(width * intermediateSize);
    expect(down.subarray(0, content * intermediateSize).some((value) => value !== 0)).toBe(true);
    expect(down.subarray(content * intermediateSize).every((value) => value === 0)).toBe(true);
  });

  it('reads all ends of patches and all entries of the vocabulary, several times', async () => {
    let ends = 0;
    for await (const { vector } of seen.texts()) ends += vector.filter((row) => row >= 0).length;
    expect(ends).toBeGreaterThan(20_000);
    const steps = Math.floor((ENCODER_FIT_EPOCHS * ends) / 512);
    expect(positions).toEqual([steps * 512, steps * 512]);
  });

  it('leaves no handles', () => {
    expect(leaked).toBe(0);
  });
});

describe('a fit of the encoder to few tokens', () => {
  let few: Observations;
  beforeAll(async () => {
    few = openObservations(join(folder, 'few.bin'), inputs.vectors);
    let left = 100;
    for (const entry of vocabularyTexts(inputs.teacher.reader, inputs.vectors, 1)) if (left-- > 0) await few.add(entry);
  });
  afterAll(() => few.close());

  it.each([0, 2])('stops when the signal is aborted after %d steps, without leaving handles', async (steps) => {
    const before = engine.liveHandles();
    const reason = new Error('stop');
    await expect(fitWith(true, few, abortedAfter(steps, reason))).rejects.toBe(reason);
    expect(engine.liveHandles()).toBe(before);
  });
});
