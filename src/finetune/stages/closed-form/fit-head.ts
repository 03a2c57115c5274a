/**
 * @module The output side of the closed-form initialisation: the directions of the source's normed state that predict the next byte best, and
 * a head that reads them together with the byte's own state. Both are least-squares fits to the source's log-probabilities of bytes.
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

/** Log-probabilities are clamped to this minimum: the fit may be wrong about anything rarer. */
const MIN_LOG_PROBABILITY = -9;
/** The target of special ids, in nats relative to the mean byte: they are never likely. */
const SPECIAL_LOG_PROBABILITY = -6;
/** Least squares on log-probabilities flattens the distribution. The head is multiplied by whichever of these predicts the text best. */
const INVERSE_TEMPERATURES = [0.75, 1, 1.15, 1.3, 1.5, 1.75, 2, 2.5] as const;
const BYTE_VALUES = 256;

/** Logits over the source's sorted vocabulary. @param states [N, Hg], before the source's final norm. */
function sourceLogits(source: Params, states: tf.Tensor, epsilon: number): tf.Tensor {
  return linear(rmsNorm(states, sourceNorm(source), epsilon), sourceHead(source));
}

/** Log-probabilities [N, 256], clamped from below, minus their mean: logits that a head can reach. */
function centredLogs(marginals: tf.Tensor): tf.Tensor {
  const logs = tf.log(tf.maximum(marginals, Math.exp(MIN_LOG_PROBABILITY)));
  return tf.sub(logs, tf.mean(logs, -1, true));
}

/** The values of the first cross-attention for given states, averaged over the rows of a patch: [N, width]. */
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

/** How the spare channels represent the source's next-byte expectation. */
export interface Expectation {
  /** Principal directions of the log-probabilities predicted from the normed state, scaled [directionCount, 256]. */
  readonly directions: Float32Array;
  /** Maps the decoder's values to these directions [spare, width]; rows of zeros if there are more channels than directions. */
  readonly fromValues: Float32Array;
  /** The number of directions. */
  readonly directionCount: number;
}

/** The source's expectation at each position, and its weight. */
const EXPECTATION_FIELDS = ['sourceStates', 'targetState', 'targetBounds', 'targetWeight'] as const;
const VALUES_FIELDS = [...EXPECTATION_FIELDS, 'patchState', 'decoderPatch'] as const;
/** What the decoder reads when the source's states replace the global transformer's output. */
const STATES_FIELDS = [...ENCODER_FIELDS, ...DECODER_FIELDS, 'sourceStates', 'patchState'] as const;

/** For each position, the decoder's values of its patch [N, width] and the source's centred next-byte log-probabilities [N, 256]. */
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
 * Finds the directions in which the source's last state predicts the next byte best, each scaled to the RMS of a state's channel.
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
  const directionCount = Math.min(spare, BYTE_VALUES);
  return tf.tidy(() => {
    const w = tf.tensor2d(weights, [BYTE_VALUES, width]);
    const gram = tf.tensor2d(Float32Array.from(products.gram), [width, width]);
    const covariance = tf.div(tf.matMul(tf.matMul(w, gram), w, false, true), count);
    const principal = principalDirections(covariance.dataSync(), BYTE_VALUES, directionCount);
    const unscaled = tf.tensor2d(principal, [directionCount, BYTE_VALUES]);
    const read = tf.matMul(unscaled, w); // [directionCount, width]
    const square = tf.div(tf.sum(tf.mul(tf.matMul(read, gram), read), -1, true), count);
    const factor = tf.div(scale, tf.sqrt(square));
    const fromValues = tf.pad(tf.mul(read, factor) as tf.Tensor2D, [
      [0, spare - directionCount],
      [0, 0],
    ]);
    const directions = tf.mul(unscaled, factor).dataSync() as Float32Array;
    return { directions, fromValues: fromValues.dataSync() as Float32Array, directionCount };
  });
}

/** Cross-attention doubles its residual input (docs/blt-format.md 1.6). */
const RESIDUAL = 2;

/**
 * Collects what the source's state leaves unexplained of its own log-probabilities, along the same directions. N-gram tables fitted to
 * these residuals are an n-gram language model with back-off.
 * @param batches with states and byte targets.
 * @param into receives every document, with vectors [positions, directionCount] of its own.
 */
export async function observeResiduals(
  config: BltConfig,
  scratchModel: ScratchModel,
  source: Params,
  { directions, fromValues, directionCount }: Expectation,
  batches: AsyncIterable<StepBatch>,
  into: Observations,
): Promise<void> {
  const width = config.decoder.hiddenSize;
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      const residuals = tf.tidy(() => {
        const batch = batchTensors(arrays, VALUES_FIELDS);
        const { values, logs } = valuesAndLogs(scratchModel.params(), config, source, batch);
        const target = tf.matMul(logs, tf.tensor2d(directions, [directionCount, BYTE_VALUES]), false, true);
        const explained = tf.matMul(
          values,
          tf.tensor2d(fromValues.subarray(0, directionCount * width), [directionCount, width]),
          false,
          true,
        );
        return tf.div(tf.sub(target, explained), RESIDUAL).dataSync() as Float32Array;
      });
      const { targetWeight, ...bytes } = requireFields(arrays, ['ids', 'documents', 'targetWeight']);
      for (const { ids, positions } of documentsOf(bytes)) {
        const vector = positions.map((at, i) => (targetWeight[at]! > 0 ? i : -1));
        const scalar = new Float32Array(vector.length).fill(Number.NaN);
        const first = positions[0]! * directionCount;
        const vectors = residuals.subarray(first, first + positions.length * directionCount);
        await into.add({ ids, vector, vectors, scalar, weight: 1, isWhole: true });
      }
    }
  }
}

/** Normed hidden states of the decoder [rows * length, width], with the source's states in place of the global transformer's output. */
function decoderStates(params: Params, config: BltConfig, batch: TensorBatch<(typeof STATES_FIELDS)[number]>) {
  const { bytes } = bltEncode(params, config, batch);
  const patches = gatherRows(batch.sourceStates, batch.patchState);
  return localDecoder(params, config, batch, blockContext(config.decoder, batch), { bytes, patches });
}

/**
 * Fits the head: from the decoder's last hidden states to the source's log-probabilities of all bytes.
 * @param batches with states and byte targets. They are read twice; the second time, only the first few, to choose the inverse temperature.
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
        const target = tf.mul(tf.concat([special, logs], 1), counts);
        addProducts(products, {
          gram: tf.matMul(f, f, true, false).dataSync(),
          cross: tf.matMul(f, target, true, false).dataSync(),
        });
      });
    }
  }
  const weights = ridge(products, ridgeShare);
  const best = await bestInverseTemperature(config, scratchModel, weights, batches());
  return new Map([['lm_head.weight', weights.map((value) => value * best)]]);
}

/** How many batches the inverse temperature is chosen on. */
const INVERSE_TEMPERATURE_BATCHES = 8;

async function bestInverseTemperature(
  config: BltConfig,
  scratchModel: ScratchModel,
  weights: Float32Array,
  batches: AsyncIterable<StepBatch>,
): Promise<number> {
  const nats = INVERSE_TEMPERATURES.map(() => 0);
  let seen = 0;
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      tf.tidy(() => {
        const batch = batchTensors(arrays, [...STATES_FIELDS, 'targets', 'targetWeight']);
        const f = decoderStates(scratchModel.params(), config, batch);
        const logits = linear(f, tf.tensor2d(weights, [VOCAB_SIZE, config.decoder.hiddenSize]));
        INVERSE_TEMPERATURES.forEach((factor, i) => {
          const sum = crossEntropySum(tf.mul(logits, factor), batch.targets, batch.targetWeight);
          nats[i]! += sum.dataSync()[0]!;
        });
      });
    }
    if (++seen === INVERSE_TEMPERATURE_BATCHES) break;
  }
  const best = INVERSE_TEMPERATURES[nats.indexOf(Math.min(...nats))];
  if (best === undefined)
    throw new ByteifyError('The source’s states or the fitted head contain values that are not finite.');
  return best;
}
