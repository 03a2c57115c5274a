/** @module Losses of the encoder and of byte logits against text and source, and their weighted sum. */
import type { BltConfig } from '../../blt/index.js';
import { gatherRows, linear, rmsNorm, tf } from '../../engine/index.js';
import {
  type BatchTensors,
  byteLogProbabilities,
  type Params,
  patchVectors,
  prefixMarginals,
  sourceEmbedding,
  sourceHead,
  sourceLogProbabilities,
  sourceNorm,
} from '../../model/index.js';
import { chunkLoss } from '../losses/chunk-loss.js';
import { embeddingLoss } from '../losses/embedding-loss.js';
import { prefixKl } from '../losses/prefix-kl.js';
import { byteCrossEntropy, CROSS_ENTROPY, type StepLoss } from './objective.js';

/** Softens chunk probabilities (Bolmo's 5). */
const CHUNK_TEMPERATURE = 5;

/** Metrics a loss is logged under. */
export const LOSS_METRICS = {
  cross_entropy: CROSS_ENTROPY,
  prefix_kl: 'prefix_kl',
  chunk: 'chunk',
  embedding: 'embedding',
} as const;
export type Loss = keyof typeof LOSS_METRICS;

export interface WeightedLoss {
  readonly loss: Loss;
  readonly weight: number;
}

/** The losses that count, with their weights. */
export function weightedLosses(weights: Partial<Record<Loss, number>>): WeightedLoss[] {
  return Object.entries(weights).flatMap(([loss, weight]) => (weight > 0 ? [{ loss: loss as Loss, weight }] : []));
}

export function weightedSum(
  losses: readonly WeightedLoss[],
  values: Readonly<Partial<Record<Loss, () => tf.Tensor>>>,
): StepLoss {
  const parts = losses.map(({ loss }) => values[loss]!() as tf.Scalar);
  const value = parts
    .map((part, i) => tf.mul(part, losses[i]!.weight))
    .reduce((sum, part) => tf.add(sum, part)) as tf.Scalar;
  return { value, parts };
}

/** Squared distance of the encoder's patches from their tokens' embeddings, of the embeddings' variance; patches of one token count. */
export function encoderLoss(params: Params, patches: tf.Tensor, batch: BatchTensors, variance: number): tf.Tensor {
  const target = gatherRows(sourceEmbedding(params), batch.patchToken!);
  return embeddingLoss(patchVectors(params, patches), target, batch.patchWeight!, variance);
}

/** What the source expects the next bytes to be [rows * length, 256]. */
function expectations(params: Params, config: BltConfig, batch: BatchTensors): tf.Tensor {
  const normal = rmsNorm(batch.sourceStates!, sourceNorm(params), config.global.rmsNormEps);
  return prefixMarginals(linear(normal, sourceHead(params)), batch.targetState!, batch.targetBounds!);
}

/** Losses of byte logits against text and source. The expectations are computed once, where a loss wants them. */
export function byteLosses(params: Params, config: BltConfig, batch: BatchTensors, logits: tf.Tensor) {
  let made: tf.Tensor | null = null;
  const marginals = () => {
    made ??= expectations(params, config, batch);
    return made;
  };
  return {
    cross_entropy: () => byteCrossEntropy(logits, batch),
    prefix_kl: () => prefixKl(logits, marginals(), batch.targetWeight!),
    chunk: () =>
      chunkLoss({
        studentLogProbabilities: byteLogProbabilities(logits, batch.targets!),
        sourceLogProbabilities: sourceLogProbabilities(marginals(), batch.targets!),
        chunkOfByte: batch.chunkOfByte!,
        chunkWeights: batch.chunkWeights!,
        temperature: CHUNK_TEMPERATURE,
      }),
  };
}
