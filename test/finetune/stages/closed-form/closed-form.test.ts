import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltTensors } from '../../../../src/blt/index.js';
import type { ByteStore } from '../../../../src/data/index.js';
import {
  crossEntropySum,
  type Engine,
  gatherRows,
  linear,
  rmsNorm,
  startEngine,
  tf,
} from '../../../../src/engine/index.js';
import { finetune } from '../../../../src/finetune/index.js';
import { prefixKl } from '../../../../src/finetune/losses/prefix-kl.js';
import { cachePatcherOutputs, fittingBatches } from '../../../../src/finetune/stages/closed-form/fitting-text.js';
import { createSourceStates } from '../../../../src/finetune/teacher/source-states.js';
import { openTeacher } from '../../../../src/finetune/teacher/teacher.js';
import {
  batchTensors,
  bltDecode,
  bltEncode,
  DECODER_FIELDS,
  ENCODER_FIELDS,
  loadVariable,
  type Params,
  param,
  patchVectors,
  prefixMarginals,
} from '../../../../src/model/index.js';
import { createPatcherRunner } from '../../../../src/model/patcher/runner.js';
import { sourceEmbedding, sourceHead, sourceNorm } from '../../../../src/model/source-tensors.js';
import { requireFields } from '../../../../src/patching/index.js';
import { openCheckpoint } from '../../../../src/safetensors/index.js';
import { overlay } from '../../../../src/safetensors/overlay.js';
import { type Distillation, type LocalSizes, openDistillation, openText } from '../../../support/distillation.js';
import { bytesOf, checkpointOf, differing, valuesOf } from '../../support/runs.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-closed-form-'));
let engine: Engine;
let store: ByteStore;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  store = await openText(folder);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const LENGTH = 256;
const ROWS = 8;
const SOLVE_BYTES = 16_000;
/** The cheapest fits: means with back-off, and a linear read of the state. */
const STAGE = {
  kind: 'closed-form',
  text_bytes: 60_000,
  solve_bytes: SOLVE_BYTES,
  ngram_bytes: 60_000,
  encoder: 'back-off',
  decoder: 'linear',
  sequence_length: LENGTH,
  micro_batch_size: ROWS,
};

const opened = new Map<string, Promise<Distillation>>();

/** The tiny Llama remapped to these sizes, once per test file. */
function openSize(sizes: LocalSizes): Promise<Distillation> {
  const name = `${sizes.crossAttnK}-${sizes.hiddenSize}`;
  const found = opened.get(name) ?? openDistillation(join(folder, name), store, sizes);
  opened.set(name, found);
  return found;
}

/** Sums that the quality of a fit is computed from. */
interface Fit {
  /** For each channel, over patches that are one token: sum and sum of squares, of the patches and of the embeddings. */
  readonly sums: readonly Float32Array[];
  readonly count: number;
  readonly squaredError: number;
  /** The largest difference between the decoder's keys and the source's normed states, relative to the largest state. */
  readonly keyError: number;
  /** Cross-entropy of the next byte with the source's states as patches. */
  readonly nats: number;
  /** The divergence from the source's expectation of each next byte. */
  readonly divergence: number;
  /** The same with zeros as patches. */
  readonly blindDivergence: number;
  /** How often each byte id is a target. */
  readonly counts: Float64Array;
}

/** The batch fields that the evaluation reads. */
const FIELDS = [
  ...ENCODER_FIELDS,
  ...DECODER_FIELDS,
  ...(['targets', 'targetWeight', 'targetState', 'targetBounds'] as const),
  ...(['sourceStates', 'patchState', 'patchToken', 'patchWeight'] as const),
] as const;

/** Evaluates a fitted model on the text that projection and decoder were fitted to, or on held-out text. */
async function evaluateFit(
  { config, from, source: folderOfSource, recipe }: Distillation,
  checkpoint: string,
  split: 'train' | 'validation',
): Promise<Fit> {
  const source = await openTeacher(folderOfSource, from, config);
  const wanted = { tensors: ['embedding', 'head'], layers: false } as const;
  const { tensors, layers: _none, ...sourceSettings } = await source.trainingSource(wanted);
  const reader = overlay(await Promise.all([checkpoint, ...from].map(openCheckpoint)));
  const variables = new Map(tensors);
  for (const name of [...bltTensors(config).map(({ name }) => name), 'model.patcher.token_end.weight'])
    variables.set(name, await loadVariable(reader, name));
  const params: Params = new Map([...variables].map(([name, variable]) => [name, variable.read()]));
  const shape = { rows: ROWS, length: LENGTH };
  const patcher = createPatcherRunner(config, variables, 'graph');
  const states = createSourceStates({ config, frozen: variables, mode: 'graph', precision: 'float32', cache: null });
  const { signal } = new AbortController();
  const text = { data: store[split], config, source: sourceSettings, ...shape, seed: recipe([STAGE]).seed, signal };
  const { hiddenSize: width } = config.global;
  const sums = [0, 1, 2, 3].map(() => new Float32Array(width));
  const counts = new Float64Array(260);
  let [count, squaredError, keyError, nats, divergence, blindDivergence] = [0, 0, -1, 0, 0, 0];

  function keysOf(of: tf.Tensor): number {
    const projected = linear(of, param(params, 'model.local_decoder.patch_embedding_projection.weight'));
    const weight = param(params, 'model.local_decoder.cross_attn_layers.0.k_norm.weight');
    const isOneRow = config.crossAttnK === 1;
    const rows = isOneRow ? rmsNorm(projected, weight, config.decoder.rmsNormEps) : projected;
    const keys = tf.slice(rows, [0, 0], [-1, width]);
    // With several rows per patch, each is normalised separately, so only the norm's weights are comparable.
    const normed = isOneRow
      ? rmsNorm(of, sourceNorm(params), config.global.rmsNormEps)
      : tf.mul(of, sourceNorm(params));
    return tf.div(tf.max(tf.abs(tf.sub(keys, normed))), tf.max(tf.abs(normed))).dataSync()[0]!;
  }

  const patcherOutputs = cachePatcherOutputs(patcher, join(folder, 'patcher-outputs.bin'));
  const batches = fittingBatches(
    { ...text, runPatcher: patcherOutputs.run },
    SOLVE_BYTES,
    ['encoder', 'states', 'bytes'],
    states.add,
  );
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      tf.tidy(() => {
        const batch = batchTensors(arrays, FIELDS);
        const encoded = bltEncode(params, config, batch);
        const weight = tf.reshape(batch.patchWeight, [-1, 1]);
        const fitted = tf.mul(patchVectors(params, encoded.patches), weight);
        const wanted = tf.mul(gatherRows(sourceEmbedding(params), batch.patchToken), weight);
        [fitted, tf.square(fitted), wanted, tf.square(wanted)].forEach((values, i) => {
          const sum = tf.sum(values, 0).dataSync();
          for (let channel = 0; channel < width; channel++) sums[i]![channel]! += sum[channel]!;
        });
        count += tf.sum(weight).dataSync()[0]!;
        squaredError += tf.sum(tf.squaredDifference(fitted, wanted)).dataSync()[0]!;
        const given = gatherRows(batch.sourceStates, batch.patchState);
        keyError = Math.max(keyError, keysOf(given));
        const ofSource = linear(
          rmsNorm(batch.sourceStates, sourceNorm(params), config.global.rmsNormEps),
          sourceHead(params),
        );
        const expected = prefixMarginals(ofSource, batch.targetState, batch.targetBounds);
        const logitsFor = (patches: tf.Tensor) => bltDecode(params, config, batch, { bytes: encoded.bytes, patches });
        const divergenceOf = (logits: tf.Tensor) => prefixKl(logits, expected, batch.targetWeight).dataSync()[0]!;
        const logits = logitsFor(given);
        nats += crossEntropySum(logits, batch.targets, batch.targetWeight).dataSync()[0]!;
        divergence += divergenceOf(logits);
        blindDivergence += divergenceOf(logitsFor(tf.zerosLike(given)));
      });
      const { targets, targetWeight } = requireFields(arrays, ['targets', 'targetWeight']);
      targetWeight.forEach((weight, at) => {
        counts[targets[at]!]! += weight;
      });
    }
  }
  await states.close();
  await patcherOutputs.close();
  patcher.dispose();
  tf.dispose([...params.values()]);
  for (const variable of variables.values()) variable.dispose();
  await reader.close();
  await source.close();
  return { sums, count, squaredError, keyError, nats, divergence, blindDivergence, counts };
}

/** Each channel's mean and variance, from its sums and sums of squares. */
const moments = ([sum, squares]: readonly Float32Array[], count: number) =>
  [...sum!].map((value, i) => {
    const mean = value / count;
    return { mean, variance: squares![i]! / count - mean ** 2 };
  });

/** The squared error relative to the embeddings' variance: 1 for a model that returns their mean. */
function relativeError({ sums, count, squaredError }: Fit): number {
  const variance = moments(sums.slice(2), count).reduce((sum, { variance }) => sum + variance, 0);
  return squaredError / count / variance;
}

const DEFAULTS = { encoder: 'feed-forward', decoder: 'prefix-gates' };

describe.each([
  ['as wide as the source, with the cheapest fits', { crossAttnK: 1, hiddenSize: 128 }, {}],
  ['with three rows per patch and a projection, with the default fits', { crossAttnK: 3, hiddenSize: 64 }, DEFAULTS],
])('the closed-form initialisation of a model %s', (_, sizes, settings) => {
  let fit: Fit;
  let fitted: Fit;
  beforeAll(async () => {
    const tiny = await openSize(sizes);
    await tiny.run('run', tiny.recipe([{ ...STAGE, ...settings }]));
    fit = await evaluateFit(tiny, checkpointOf(tiny.path('run'), 0), 'validation');
    fitted = await evaluateFit(tiny, checkpointOf(tiny.path('run'), 0), 'train');
  });

  it('gives patches of held-out text close to the embeddings of their tokens', () => {
    expect(fit.count).toBeGreaterThan(1000);
    expect(relativeError(fit)).toBeLessThan(0.5);
  });

  it('gives each channel the mean and deviation of the embeddings, on the text of the projection', () => {
    const [found, wanted] = [moments(fitted.sums, fitted.count), moments(fitted.sums.slice(2), fitted.count)];
    for (const [channel, { mean, variance }] of wanted.entries()) {
      const deviation = Math.sqrt(variance);
      expect(Math.abs(found[channel]!.mean - mean) / deviation).toBeLessThan(0.02);
      expect(Math.abs(Math.sqrt(found[channel]!.variance) / deviation - 1)).toBeLessThan(0.02);
    }
  });

  it('makes the source’s normed states the decoder’s keys', () => {
    expect(fit.keyError).toBeGreaterThanOrEqual(0);
    expect(fit.keyError).toBeLessThan(1e-5);
  });

  it('predicts the next byte of held-out text far better than byte frequencies do', () => {
    const bytes = fit.counts.reduce((sum, count) => sum + count, 0);
    const unigram = fit.counts.reduce((sum, count) => sum - (count > 0 ? count * Math.log(count / bytes) : 0), 0);
    expect(fit.nats).toBeLessThan(0.8 * unigram);
  });

  it('comes closer to the source on held-out text because of its states', () => {
    expect(fit.divergence).toBeLessThan(0.85 * fit.blindDivergence);
  });
});

describe('the closed-form stage', () => {
  let tiny: Distillation;
  /** As little text as there can be: each fit makes its smallest number of steps all the same. */
  const small = {
    ...STAGE,
    ...{ text_bytes: 2_500, solve_bytes: 900, ngram_bytes: 3_000, micro_batch_size: 2, vocabulary_weight: 0 },
    encoder: 'tables',
  };
  /** For each check of the signal in the first run, the source file of the stage that made it. */
  const checks: string[] = [];
  beforeAll(async () => {
    tiny = await openSize({ crossAttnK: 3, hiddenSize: 64 });
    await checked('whole', () => {
      checks.push(/closed-form\/([\w-]+)\.ts/.exec(new Error().stack ?? '')?.[1] ?? 'none');
    });
  });

  /** The tensors that differ from those of the first run. */
  const differences = async (name: string) => {
    const [found, wanted] = [name, 'whole'].map((run) => bytesOf(checkpointOf(tiny.path(run), 0)));
    return differing(await found!, await wanted!);
  };

  /** Runs the stage with a signal that calls this function when it is checked. */
  const checked = (name: string, throwIfAborted: () => void) =>
    finetune({
      ...{ from: tiny.from, source: tiny.source, store, heldOut: [], sourceBitsPerByte: null, settings: 'settings' },
      run: tiny.path(name),
      recipe: tiny.recipe([small]),
      signal: { throwIfAborted, aborted: false } as AbortSignal,
    });

  it('leaves no files when it is stopped in any of its fits, and gives the same tensors when it starts again', async () => {
    const phases = checks.flatMap((file, i) => (file === checks[i - 1] ? [] : [{ file, first: i }]));
    const order = ['fitting-text', 'ngram-model', 'fit-encoder', 'fitting-text', 'fit-decoder'];
    expect(phases.map(({ file }) => file)).toEqual(order);
    const [, ngrams, encoder, solves, decoder] = phases.map(({ first }) => first) as [
      ...[number, number, number, number, number],
    ];
    // The projection and the decoder's examples read the same batches, one after the other.
    expect((decoder - solves) % 2).toBe(0);
    const half = (decoder - solves) / 2;
    expect(half).toBeGreaterThan(1);
    for (const [phase, stop] of Object.entries({
      'at the beginning': 0,
      'while text is read': 3,
      'while the n-gram tables are trained': ngrams + 5,
      'while the encoder is fitted': encoder + 5,
      'while the projection is fitted': solves + half - 1,
      'while the decoder’s examples are collected': decoder - 1,
      'while the decoder is fitted': decoder + 5,
    })) {
      const before = engine.liveHandles();
      let left = stop;
      const stopped = checked('stopped', () => {
        if (left-- === 0) throw new Error('stop');
      });
      await expect(stopped, phase).rejects.toThrow('stop');
      expect(engine.liveHandles(), `handles leaked ${phase}`).toBe(before);
      expect(await readdir(tiny.path('stopped')), phase).toEqual([]);
    }
    await tiny.run('stopped', tiny.recipe([small]));
    expect(await differences('stopped')).toEqual([]);
    // Once it is done, it does not run again.
    const path = join(checkpointOf(tiny.path('stopped'), 0), 'closed-form.json');
    const metrics = JSON.parse(await readFile(path, 'utf8'));
    expect(metrics.flops).toBeGreaterThan(0);
    await writeFile(path, JSON.stringify({ ...metrics, flops: 1 }));
    expect((await tiny.run('stopped', tiny.recipe([small]))).flops).toBe(1);
  });
});

it('the closed-form initialisation of a model with two rows per patch, no projection and no n-grams is better than none', async () => {
  const tiny = await openSize({ crossAttnK: 2, hiddenSize: 64 });
  const metrics = await tiny.run('run', tiny.recipe([{ ...STAGE, ngram_bytes: 0 }]));
  expect(metrics.validation_bits_per_byte).toBeLessThan(8);
  for (const [name, values] of await valuesOf(checkpointOf(tiny.path('run'), 0)))
    expect(values.every(Number.isFinite), name).toBe(true);
  const fit = await evaluateFit(tiny, checkpointOf(tiny.path('run'), 0), 'validation');
  expect(relativeError(fit)).toBeLessThan(0.8);
  expect(fit.divergence).toBeLessThan(fit.blindDivergence);
});

it('a first step of training, which moves all idle branches, costs a closed form little', async () => {
  const tiny = await openSize({ crossAttnK: 1, hiddenSize: 128 });
  const step = { kind: 'end-to-end', steps: 1, batch_bytes: 2048, sequence_length: LENGTH };
  const rates = { learning_rate: 5e-4, warmup_steps: 0, schedule: 'constant', frozen: ['global', 'hash', 'head'] };
  const fitted = await tiny.run('run', tiny.recipe([STAGE]));
  const stepped = await tiny.run('one-step', tiny.recipe([STAGE, { ...step, ...rates }]));
  expect(stepped.validation_bits_per_byte! - fitted.validation_bits_per_byte!).toBeLessThan(0.1);
});
