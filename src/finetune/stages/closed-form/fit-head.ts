/**
 * @module The output side of the closed-form start: which directions of the source's normed state tell the next byte, and a head that reads them
 * beside the byte's own state. Both are least squares on the log-probabilities that the source gives to bytes.
 */
import { type BltConfig, BYTE_OFFSET, VOCAB_SIZE } from '../../../blt/index.js';
import { crossEntropySum, gatherRows, linear, rmsNorm, tf } from '../../../engine/index.js';
import { ByteifyError } from '../../../errors.js';
import {
  batchTensors,
  blockContext,
  bltEncode,
  DECODER_FIELDS,
  ENCODER_FIELDS,
  localDecoder,
  type Params,
  param,
  prefixMarginals,
  sourceHead,
  sourceNorm,
  type TensorBatch,
} from '../../../model/index.js';
import { requireFields } from '../../../patching/index.js';
import type { StepBatch } from '../../batches/step-batch.js';
import type { Tensors } from './encoder-tensors.js';
import { documentsOf } from './fitting-text.js';
import type { Layout } from './layout.js';
import { addProducts, emptyProducts, principalDirections, ridge } from './least-squares.js';
import type { Observations } from './observations.js';
import type { ScratchModel } from './scratch-model.js';

/** Log-probabilities are fitted down to here: what is rarer may be as wrong as it likes. */
const LEAST_LOG_PROBABILITY = -9;
/** What special ids get, in nats beside the mean byte: never likely. */
const SPECIAL_LOG_PROBABILITY = -6;
/** Least squares on logarithms hedges; the head is sharpened by the one of these that predicts the text best. */
const SHARPENINGS = [0.75, 1, 1.15, 1.3, 1.5, 1.75, 2, 2.5] as const;
const BYTE_VALUES = 256;

/** Logits of the source over its sorted vocabulary, of states before its final norm [N, Hg]. */
function sourceLogits(source: Params, states: tf.Tensor, epsilon: number): tf.Tensor {
  return linear(rmsNorm(states, sourceNorm(source), epsilon), sourceHead(source));
}

/** Log-probabilities [N, 256], none below the least, less their mean: logits that a head may have. */
function centredLogs(marginals: tf.Tensor): tf.Tensor {
  const logs = tf.log(tf.maximum(marginals, Math.exp(LEAST_LOG_PROBABILITY)));
  return tf.sub(logs, tf.mean(logs, -1, true));
}

/** The first cross-attention's values of states, mean over a patch's rows: [N, width]. */
function valuesOf(params: Params, config: BltConfig, states: tf.Tensor): tf.Tensor {
  const { decoder, crossAttnK: slots } = config;
  const projected = linear(states, param(params, 'model.local_decoder.patch_embedding_projection.weight'));
  const rows = tf.reshape(projected, [-1, decoder.hiddenSize]);
  const normal = rmsNorm(
    rows,
    param(params, 'model.local_decoder.cross_attn_layers.0.k_norm.weight'),
    decoder.rmsNormEps,
  );
  return tf.mean(tf.reshape(normal, [-1, slots, decoder.hiddenSize]), 1);
}

/** What of the source's expectation the spare channels hold. */
export interface Expectation {
  /** Principal directions of what the normed state tells of the next byte's log-probabilities, scaled [few, 256]. */
  readonly directions: Float32Array;
  /** The same read off the decoder's values: [spare, width], zero rows where there are more channels than directions. */
  readonly fromValues: Float32Array;
  /** How many directions there are. */
  readonly few: number;
}

/** What the source says of each position, and how it is read. */
const EXPECTATION_FIELDS = ['sourceStates', 'targetState', 'targetBounds', 'targetWeight'] as const;
const VALUES_FIELDS = [...EXPECTATION_FIELDS, 'patchState', 'decoderPatch'] as const;
/** What the decoder reads where the source's states stand for the latent patches. */
const STATES_FIELDS = [...ENCODER_FIELDS, ...DECODER_FIELDS, 'sourceStates', 'patchState'] as const;

/** At every position: the decoder's values of its patch [N, width], and the source's centred log-probabilities of the next byte [N, 256]. */
function valuesAndLogs(
  params: Params,
  config: BltConfig,
  source: Params,
  batch: TensorBatch<(typeof VALUES_FIELDS)[number]>,
) {
  const states = gatherRows(batch.sourceStates, gatherRows(batch.patchState, batch.decoderPatch));
  const logits = sourceLogits(source, batch.sourceStates, config.global.rmsNormEps);
  const logs = centredLogs(prefixMarginals(logits, batch.targetState, batch.targetBounds));
  return { values: valuesOf(params, config, states), logs };
}

/**
 * The directions in which the source's last state tells most of the next byte, each scaled to the deviation of a state's channel.
 * @param batches with states and byte targets.
 */
export async function fitExpectation(
  config: BltConfig,
  layout: Layout,
  scratchModel: ScratchModel,
  source: Params,
  batches: AsyncIterable<StepBatch>,
  ridgeShare: number,
): Promise<Expectation> {
  const { width, spare, scale } = layout;
  const products = emptyProducts(width, BYTE_VALUES);
  let count = 0;
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      tf.tidy(() => {
        const batch = batchTensors(arrays, VALUES_FIELDS);
        const counts = tf.reshape(batch.targetWeight, [-1, 1]);
        const { values, logs } = valuesAndLogs(scratchModel.params(), config, source, batch);
        const counted = tf.mul(values, counts);
        addProducts(products, {
          gram: tf.matMul(counted, counted, true, false).dataSync(),
          cross: tf.matMul(counted, tf.mul(logs, counts), true, false).dataSync(),
        });
        count += tf.sum(counts).dataSync()[0]!;
      });
    }
  }
  const weights = ridge(products, ridgeShare); // [256, width]
  const few = Math.min(spare, BYTE_VALUES);
  return tf.tidy(() => {
    const w = tf.tensor2d(weights, [BYTE_VALUES, width]);
    const gram = tf.tensor2d(Float32Array.from(products.gram), [width, width]);
    const covariance = tf.div(tf.matMul(tf.matMul(w, gram), w, false, true), count);
    const principal = principalDirections(covariance.dataSync(), BYTE_VALUES, few);
    const unscaled = tf.tensor2d(principal, [few, BYTE_VALUES]);
    const read = tf.matMul(unscaled, w); // [few, width]
    const square = tf.div(tf.sum(tf.mul(tf.matMul(read, gram), read), -1, true), count);
    const factor = tf.div(scale, tf.sqrt(square));
    const fromValues = tf.pad(tf.mul(read, factor) as tf.Tensor2D, [
      [0, spare - few],
      [0, 0],
    ]);
    const directions = tf.mul(unscaled, factor).dataSync() as Float32Array;
    return { directions, fromValues: fromValues.dataSync() as Float32Array, few };
  });
}

/** Cross-attention doubles what was there before it (blt-format 1.6). */
const RESIDUAL = 2;

/**
 * What n-grams tell of the next byte beside the source's state, along the same directions: the mean of what is left over, as n-gram tables
 * hold it. A language model of n-grams with back-off, in closed form.
 * @param batches with states and byte targets.
 * @param into every document, with vectors [positions, few] of its own.
 */
export async function leftOver(
  config: BltConfig,
  scratchModel: ScratchModel,
  source: Params,
  { directions, fromValues, few }: Expectation,
  batches: AsyncIterable<StepBatch>,
  into: Observations,
): Promise<void> {
  const width = config.decoder.hiddenSize;
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      const rest = tf.tidy(() => {
        const batch = batchTensors(arrays, VALUES_FIELDS);
        const { values, logs } = valuesAndLogs(scratchModel.params(), config, source, batch);
        const wanted = tf.matMul(logs, tf.tensor2d(directions, [few, BYTE_VALUES]), false, true);
        const told = tf.matMul(values, tf.tensor2d(fromValues.subarray(0, few * width), [few, width]), false, true);
        return tf.div(tf.sub(wanted, told), RESIDUAL).dataSync() as Float32Array;
      });
      const { targetWeight, ...bytes } = requireFields(arrays, ['ids', 'documents', 'targetWeight']);
      for (const { ids, positions } of documentsOf(bytes)) {
        const vector = positions.map((at, i) => (targetWeight[at]! > 0 ? i : -1));
        const scalar = new Float32Array(vector.length).fill(Number.NaN);
        const first = positions[0]! * few;
        const vectors = rest.subarray(first, first + positions.length * few);
        await into.add({ ids, vector, vectors, scalar, weight: 1, isWhole: true });
      }
    }
  }
}

/** Normed hidden states of the decoder [rows * length, width] where the source's states stand for the latent patches. */
function decoderStates(params: Params, config: BltConfig, batch: TensorBatch<(typeof STATES_FIELDS)[number]>) {
  const { bytes } = bltEncode(params, config, batch);
  const patches = gatherRows(batch.sourceStates, batch.patchState);
  return localDecoder(params, config, batch, blockContext(config.decoder, batch), { bytes, patches });
}

/**
 * The head: from the decoder's last states to what the source expects of every byte.
 * @param batches with states and byte targets; they are read once to fit and once more, the first of them, to sharpen.
 */
export async function fitHead(
  config: BltConfig,
  scratchModel: ScratchModel,
  source: Params,
  batches: () => AsyncIterable<StepBatch>,
  ridgeShare: number,
): Promise<Tensors> {
  const width = config.decoder.hiddenSize;
  const products = emptyProducts(width, VOCAB_SIZE);
  for await (const { batches: micros } of batches()) {
    for (const arrays of micros) {
      tf.tidy(() => {
        const batch = batchTensors(arrays, [...STATES_FIELDS, ...EXPECTATION_FIELDS]);
        const counts = tf.reshape(batch.targetWeight, [-1, 1]);
        const f = tf.mul(decoderStates(scratchModel.params(), config, batch), counts);
        const logits = sourceLogits(source, batch.sourceStates, config.global.rmsNormEps);
        const logs = centredLogs(prefixMarginals(logits, batch.targetState, batch.targetBounds));
        const special = tf.fill([batch.rows * batch.length, BYTE_OFFSET], SPECIAL_LOG_PROBABILITY);
        const wanted = tf.mul(tf.concat([special, logs], 1), counts);
        addProducts(products, {
          gram: tf.matMul(f, f, true, false).dataSync(),
          cross: tf.matMul(f, wanted, true, false).dataSync(),
        });
      });
    }
  }
  const weights = ridge(products, ridgeShare);
  const best = await sharpening(config, scratchModel, weights, batches());
  return new Map([['lm_head.weight', weights.map((value) => value * best)]]);
}

/** Batches that tell how sharp a head should be. */
const SHARPENING_BATCHES = 8;

async function sharpening(
  config: BltConfig,
  scratchModel: ScratchModel,
  weights: Float32Array,
  batches: AsyncIterable<StepBatch>,
): Promise<number> {
  const nats = SHARPENINGS.map(() => 0);
  let seen = 0;
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      tf.tidy(() => {
        const batch = batchTensors(arrays, [...STATES_FIELDS, 'targets', 'targetWeight']);
        const f = decoderStates(scratchModel.params(), config, batch);
        const logits = linear(f, tf.tensor2d(weights, [VOCAB_SIZE, config.decoder.hiddenSize]));
        SHARPENINGS.forEach((factor, i) => {
          const sum = crossEntropySum(tf.mul(logits, factor), batch.targets, batch.targetWeight);
          nats[i]! += sum.dataSync()[0]!;
        });
      });
    }
    if (++seen === SHARPENING_BATCHES) break;
  }
  const best = SHARPENINGS[nats.indexOf(Math.min(...nats))];
  if (best === undefined) throw new ByteifyError('The source’s states or the fitted head are not finite numbers.');
  return best;
}
