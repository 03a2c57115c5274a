import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltTensors, hashTables } from '../../../../src/blt/index.js';
import type { ByteStore } from '../../../../src/data/index.js';
import { type Engine, gatherRows, linear, startEngine, swiglu, tf } from '../../../../src/engine/index.js';
import type { StepBatch } from '../../../../src/finetune/batches/step-batch.js';
import { prefixKl } from '../../../../src/finetune/losses/prefix-kl.js';
import type { Tensors } from '../../../../src/finetune/stages/closed-form/encoder-tensors.js';
import { type DecoderFit, fitDecoder } from '../../../../src/finetune/stages/closed-form/fit-decoder.js';
import { addNgrams, fitTables } from '../../../../src/finetune/stages/closed-form/fit-tables.js';
import { OBSERVED_FIELDS, observedTexts } from '../../../../src/finetune/stages/closed-form/fitting-text.js';
import { type NgramModel, trainNgramModel } from '../../../../src/finetune/stages/closed-form/ngram-model.js';
import { openObservations } from '../../../../src/finetune/stages/closed-form/observations.js';
import { ngramSums } from '../../../../src/finetune/stages/closed-form/prefix-gates.js';
import {
  batchTensors,
  bltDecode,
  bltEncode,
  DECODER_FIELDS,
  ENCODER_FIELDS,
  param,
  prefixMarginals,
  sourceHead,
  sourceNorm,
} from '../../../../src/model/index.js';
import { requireFields } from '../../../../src/patching/index.js';
import { openText } from '../../../support/distillation.js';
import { relativeDifference, taken } from '../../../support/modes.js';
import { abortedAfter, type FitInputs, openFitInputs, SEED } from '../../support/closed-form.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-decoder-'));
const SOLVE_BYTES = 40_000;
const CROSS = 'model.local_decoder.cross_attn_layers.0';
const LAYER = 'model.local_decoder.layers.0';
let engine: Engine;
let store: ByteStore;
let inputs: FitInputs;
let ngrams: NgramModel;
let heldOut: StepBatch[];
let [straight, random, gated]: Tensors[] = [];
let positions: number[];
let leaked: number;

const { signal } = new AbortController();
const fitWith = (decoder: DecoderFit['decoder'], bytes = SOLVE_BYTES, given = signal) =>
  fitDecoder({
    ...{ config: inputs.tiny.config, layout: inputs.layout, source: inputs.source, ngrams, decoder },
    ...{ ngramScale: 0.25 * inputs.layout.scale, params: inputs.model.params, seed: SEED, signal: given },
    batches: inputs.batches('train', bytes, ['states', 'bytes']),
  });

beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  store = await openText(folder);
  inputs = await openFitInputs(folder, store, { crossAttnK: 3, hiddenSize: 64 });
  const { layout, model, vectors } = inputs;
  const { config } = inputs.tiny;
  const seen = openObservations(join(folder, 'observed.bin'), vectors);
  for await (const { batches } of inputs.batches('train', 30_000, ['encoder']))
    for (const micro of batches)
      for (const text of observedTexts(requireFields(micro, OBSERVED_FIELDS), vectors)) await seen.add(text);
  const tables = await fitTables(config, layout, seen, true);
  await seen.close();
  ngrams = await trainNgramModel(inputs.ngrams({ skipBytes: SOLVE_BYTES, bytes: 1e9 }));
  addNgrams(layout, tables, ngrams, 0.25 * layout.scale);
  model.replace(tables);
  heldOut = [];
  for await (const batch of inputs.batches('validation', 1e9, ['states', 'bytes'])) heldOut.push(batch);
  const before = engine.liveHandles();
  const fits = [await fitWith('linear'), await fitWith('feed-forward'), await fitWith('prefix-gates')];
  leaked = engine.liveHandles() - before;
  [straight, random, gated] = fits.map(({ tensors }) => tensors);
  positions = fits.map(({ positions: count }) => count);
});
afterAll(async () => {
  await inputs.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const FIELDS = [
  ...ENCODER_FIELDS,
  ...DECODER_FIELDS,
  ...(['targetWeight', 'targetState', 'targetBounds', 'sourceStates', 'patchState'] as const),
] as const;

/** Normed rows. */
const normed = (x: tf.Tensor, weight: tf.Tensor, epsilon: number) =>
  tf.mul(tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))), weight);

/**
 * The divergence from the source's expectation on held-out text, in bits per byte. The loss on the bytes themselves would say little: on patches
 * of so briefly trained a patcher, the source predicts them worse than n-grams do.
 */
function evaluate(logitsOf: (batch: Batch, given: tf.Tensor) => tf.Tensor) {
  const { config } = inputs.tiny;
  let [divergence, count] = [0, 0];
  for (const { batches } of heldOut)
    for (const micro of batches)
      tf.tidy(() => {
        const batch = batchTensors(micro, FIELDS);
        const ofSource = linear(
          normed(batch.sourceStates, sourceNorm(inputs.source), config.global.rmsNormEps),
          sourceHead(inputs.source),
        );
        const expected = prefixMarginals(ofSource, batch.targetState, batch.targetBounds);
        const logits = logitsOf(batch, gatherRows(batch.sourceStates, batch.patchState));
        divergence += prefixKl(logits, expected, batch.targetWeight).dataSync()[0]!;
        count += tf.sum(batch.targetWeight).dataSync()[0]!;
      });
  return { divergence: divergence / count / Math.LN2, count };
}
type Batch = ReturnType<typeof batchTensors<(typeof FIELDS)[number]>>;

/** The model's own forward pass with the source's states, or with others in their place. */
const decoded =
  (patchesOf = (given: tf.Tensor) => given) =>
  (batch: Batch, given: tf.Tensor) => {
    const params = inputs.model.params();
    const { bytes } = bltEncode(params, inputs.tiny.config, batch);
    return bltDecode(params, inputs.tiny.config, batch, { bytes, patches: patchesOf(given) });
  };

/** The n-gram model alone. */
const ngramsAlone = ({ ids, hashRows }: Batch) => {
  const arrays = { ids: ids.dataSync() as Int32Array, hashRows: hashRows.dataSync() as Int32Array };
  const { width, next } = ngrams;
  const sums = ngramSums(ngrams, { ...arrays, tables: hashTables(inputs.tiny.config.hash) }, ids.size);
  const weights = tf.tensor2d(next.weights, [260, width]);
  return tf.add(linear(tf.tensor2d(sums, [ids.size, width]), weights), tf.tensor1d(next.bias));
};

describe('fitDecoder', () => {
  it('comes closer to the source’s expectation on held-out text than n-grams alone do, because of its states', () => {
    inputs.model.replace(straight!);
    const alone = evaluate(ngramsAlone);
    const found = evaluate(decoded());
    const blind = evaluate(decoded((given) => tf.zerosLike(given)));
    expect(found.count).toBeGreaterThan(5000);
    expect(found.divergence).toBeLessThan(0.8 * alone.divergence);
    expect(found.divergence).toBeLessThan(0.8 * blind.divergence);
  });

  it('comes closer to the source on held-out text with units, and closest with units that open by prefix', () => {
    const [without, withRandomGates, found] = [straight!, random!, gated!].map((tensors) => {
      inputs.model.replace(tensors);
      return evaluate(decoded()).divergence;
    }) as [number, number, number];
    expect(withRandomGates).toBeLessThan(without);
    expect(found).toBeLessThan(withRandomGates);
    expect(found).toBeLessThan(0.9 * without);
  });

  it('never writes the count and constant channels', () => {
    const { width, count, content, spare } = inputs.layout;
    expect(content + spare).toBe(count);
    const { intermediateSize } = inputs.tiny.config.decoder;
    for (const [tensors, name, columns] of [
      [straight!, `${CROSS}.o_proj.weight`, width],
      [gated!, `${CROSS}.o_proj.weight`, width],
      [gated!, `${LAYER}.mlp.down_proj.weight`, intermediateSize],
    ] as const) {
      const values = tensors.get(name)!;
      expect(values).toHaveLength(width * columns);
      expect(values.subarray(0, count * columns).some((value) => value !== 0)).toBe(true);
      expect(values.subarray(count * columns).every((value) => value === 0)).toBe(true);
    }
  });

  it('fits these tensors alone, so that attention stays idle', () => {
    const linearOnly = [`${CROSS}.o_proj.weight`, 'lm_head.weight'];
    expect([...straight!.keys()].sort()).toEqual([...linearOnly].sort());
    const units = ['gate', 'up', 'down'].map((name) => `${LAYER}.mlp.${name}_proj.weight`);
    expect([...gated!.keys()].sort()).toEqual(
      [...linearOnly, ...units, `${LAYER}.post_attention_layernorm.weight`].sort(),
    );
    inputs.model.replace(gated!);
    const idle = bltTensors(inputs.tiny.config)
      .map(({ name }) => name)
      .filter(
        (name) =>
          /local_decoder\..*self_attn\.o_proj|local_decoder\.cross_attn_layers\.\d+\.q_proj/.test(name) ||
          /local_decoder\.cross_attn_layers\.[1-9]\d*\.o_proj/.test(name),
      );
    expect(idle.length).toBeGreaterThanOrEqual(2 * inputs.tiny.config.decoder.layers);
    for (const name of idle) {
      const values = param(inputs.model.params(), name).dataSync();
      expect(
        values.every((value) => value === 0),
        name,
      ).toBe(true);
    }
  });

  it('leaves a model whose logits at a position depend on the byte’s own state and its patch alone', () => {
    inputs.model.replace(gated!);
    const params = inputs.model.params();
    const { config } = inputs.tiny;
    const { rmsNormEps, hiddenSize } = config.decoder;
    const logitsOf = tf.tidy(() => {
      const batch = batchTensors(heldOut[0]!.batches[0]!, FIELDS);
      const { bytes } = bltEncode(params, config, batch);
      const patches = gatherRows(batch.sourceStates, batch.patchState);
      const rows = tf.reshape(linear(patches, param(params, 'model.local_decoder.patch_embedding_projection.weight')), [
        -1,
        hiddenSize,
      ]);
      const values = tf.mean(
        tf.reshape(normed(rows, param(params, `${CROSS}.k_norm.weight`), rmsNormEps), [
          -1,
          config.crossAttnK,
          hiddenSize,
        ]),
        1,
      );
      const read = linear(gatherRows(values, batch.decoderPatch), param(params, `${CROSS}.o_proj.weight`));
      let x = tf.add(tf.mul(bytes, 2), read);
      const y = normed(x, tf.ones([hiddenSize]), rmsNormEps);
      const of = (name: string, input: tf.Tensor) => linear(input, param(params, `${LAYER}.mlp.${name}_proj.weight`));
      x = tf.add(x, of('down', swiglu(of('gate', y), of('up', y))));
      const logits = linear(normed(x, tf.ones([hiddenSize]), 0), param(params, 'lm_head.weight'));
      const own = bltDecode(params, config, batch, { bytes, patches });
      return [own, logits];
    });
    const [found, wanted] = taken(logitsOf) as [Float32Array, Float32Array];
    expect(relativeDifference(found, wanted)).toBeLessThan(2e-3);
  });

  it('reads the text several times if it is short', () => {
    expect(positions).toEqual([300 * 512, 300 * 512, 300 * 512]);
  });

  it('leaves no handles', () => {
    expect(leaked).toBe(0);
  });
});

describe('a fit of the decoder that is stopped', () => {
  it.each([0, 2])('stops when the signal is aborted after %d steps, without leaving handles', async (steps) => {
    const before = engine.liveHandles();
    const reason = new Error('stop');
    await expect(fitWith('prefix-gates', 3000, abortedAfter(steps, reason))).rejects.toBe(reason);
    expect(engine.liveHandles()).toBe(before);
  });
});
