/** @module Fits the projection from the encoder's patches to the embeddings of their tokens: least squares, then a match of scales. */
import { type BltConfig, needsProjection } from '../../../blt/index.js';
import { gatherRows, tf } from '../../../engine/index.js';
import { batchTensors, bltEncode, ENCODER_FIELDS } from '../../../model/index.js';
import type { StepBatch } from '../../batches/step-batch.js';
import {
  attendsToLastByte,
  CROSS,
  PATCH_PROJECTION,
  queryOffset,
  type Tensors,
  TOKEN_PROJECTION,
} from './encoder-tensors.js';
import type { Layout } from './layout.js';
import { addProducts, emptyProducts, type Products, ridge } from './least-squares.js';
import type { ScratchModel } from './scratch-model.js';

/** The tensor that is fitted, and which features of the encoder's output it is applied to. */
interface ProjectionFit {
  readonly name: string;
  /** The number of features. */
  readonly features: number;
  /** Computes the features from the patches [P, k * He] of the unfinished model. */
  readonly featuresOf: (patches: tf.Tensor) => tf.Tensor;
  /** A constant that the model adds to the fitted product [Hg], or null. */
  readonly offset: Float32Array | null;
  /** Multiplies the fitted weights: the residual doubles the projection of the maximum. */
  readonly factor: number;
}

function projectionFit(config: BltConfig, layout: Layout): ProjectionFit {
  const { encoder, crossAttnK: slots } = config;
  const width = encoder.hiddenSize;
  if (needsProjection(config)) {
    const features = slots * width;
    return { name: TOKEN_PROJECTION, features, featuresOf: (patches) => patches, offset: null, factor: 1 };
  }
  if (!attendsToLastByte(config)) {
    // The first row is the maximum, doubled by the residual.
    const featuresOf = (patches: tf.Tensor) => tf.div(tf.slice(patches, [0, 0], [-1, width]), 2);
    return { name: PATCH_PROJECTION, features: width, featuresOf, offset: null, factor: 0.5 };
  }
  const offset = new Float32Array(width);
  offset[layout.count] = 2 * queryOffset(layout);
  const featuresOf = (patches: tf.Tensor) => tf.sub(patches, tf.tensor1d(offset));
  return { name: `${CROSS}.o_proj.weight`, features: width, featuresOf, offset, factor: 1 };
}

/** Sums over the patches that are exactly one token, for least squares and for matching scales. */
interface Sums {
  readonly products: Products;
  /** Sums of the features [n], and of the targets and their squares [t]. */
  readonly features: Float64Array;
  readonly targets: Float64Array;
  readonly squares: Float64Array;
  count: number;
}

/** Variances are differences of float32 sums, which are accurate to about 1e-6: a relative variance below this is only rounding. */
const ROUNDING = 1e-6;

/**
 * Gives each channel of the fitted patches the mean and deviation of the embeddings (as Bolmo's fix_init does), since least squares shrinks
 * both. The mean is set through the constant channel among the features.
 */
function matchScale(weights: Float32Array, sums: Sums, constant: number, constantValue: number): Float32Array {
  const { products, features, targets, squares, count } = sums;
  const n = features.length;
  const matched = weights.slice();
  for (let channel = 0; channel < targets.length; channel++) {
    const row = weights.subarray(channel * n, (channel + 1) * n);
    let [mean, square] = [0, 0];
    for (let i = 0; i < n; i++) {
      mean += row[i]! * (features[i]! / count);
      let along = 0;
      for (let j = 0; j < n; j++) along += row[j]! * products.gram[i * n + j]!;
      square += row[i]! * (along / count);
    }
    const wantedMean = targets[channel]! / count;
    const wanted = Math.max(0, squares[channel]! / count - wantedMean ** 2);
    const variance = square - mean ** 2;
    if (variance <= ROUNDING * square) continue;
    const factor = Math.sqrt(wanted / variance);
    for (let i = 0; i < n; i++) matched[channel * n + i] = row[i]! * factor;
    matched[channel * n + constant]! += (wantedMean - factor * mean) / constantValue;
  }
  return matched;
}

/**
 * @param embedding the source's embeddings [V, Hg]. @param batches with `encoder` targets.
 * @returns the fitted tensor by name.
 * @throws ByteifyError when features or targets are not finite.
 */
export async function fitProjection(
  config: BltConfig,
  layout: Layout,
  scratchModel: ScratchModel,
  embedding: tf.Tensor,
  batches: AsyncIterable<StepBatch>,
  ridgeShare: number,
): Promise<Tensors> {
  const fit = projectionFit(config, layout);
  const targets = config.global.hiddenSize;
  const sums: Sums = {
    products: emptyProducts(fit.features, targets),
    features: new Float64Array(fit.features),
    targets: new Float64Array(targets),
    squares: new Float64Array(targets),
    count: 0,
  };
  const add = (to: Float64Array, values: ArrayLike<number>) => {
    for (let i = 0; i < to.length; i++) to[i]! += values[i]!;
  };
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      tf.tidy(() => {
        const batch = batchTensors(arrays, [...ENCODER_FIELDS, 'patchToken', 'patchWeight']);
        const { patches } = bltEncode(scratchModel.params(), config, batch);
        const counts = tf.reshape(batch.patchWeight, [-1, 1]);
        const f = tf.mul(fit.featuresOf(patches), counts);
        const wanted = gatherRows(embedding, batch.patchToken);
        const t = tf.mul(fit.offset === null ? wanted : tf.sub(wanted, tf.tensor1d(fit.offset)), counts);
        addProducts(sums.products, {
          gram: tf.matMul(f, f, true, false).dataSync(),
          cross: tf.matMul(f, t, true, false).dataSync(),
        });
        add(sums.features, tf.sum(f, 0).dataSync());
        add(sums.targets, tf.sum(t, 0).dataSync());
        add(sums.squares, tf.sum(tf.square(t), 0).dataSync());
        sums.count += tf.sum(counts).dataSync()[0]!;
      });
    }
  }
  const fitted = ridge(sums.products, ridgeShare);
  const constantMean = sums.features[layout.constant]! / sums.count;
  const weights = matchScale(fitted, sums, layout.constant, constantMean);
  return new Map([[fit.name, weights.map((value) => value * fit.factor)]]);
}
