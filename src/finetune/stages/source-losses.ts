/** @module Losses of the encoder and of byte logits against text and source, and their weighted sum. */
import type { BltConfig } from '../../blt/index.js';
import { gatherRows, linear, rmsNorm, tf } from '../../engine/index.js';
import {
  byteLogProbabilities,
  type Params,
  patchVectors,
  prefixMarginals,
  sourceEmbedding,
  sourceHead,
  sourceLogProbabilities,
  sourceNorm,
  type TensorBatch,
  type Tensors,
} from '../../model/index.js';
import { type BatchField, type PartialBatch, requireFields } from '../../patching/index.js';
import { chunkLoss } from '../losses/chunk-loss.js';
import { embeddingLoss } from '../losses/embedding-loss.js';
import { prefixKl } from '../losses/prefix-kl.js';
import { byteCrossEntropy, CROSS_ENTROPY, NEXT_BYTE_FIELDS, type StepLoss } from './objective.js';

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

/** What the source's expectation of each byte is made from. */
const EXPECTATION_FIELDS = ['sourceStates', 'targetState', 'targetBounds'] as const;

/** The fields of a batch that each loss reads, beside what the model reads. */
export const LOSS_FIELDS = {
  cross_entropy: NEXT_BYTE_FIELDS,
  prefix_kl: [...EXPECTATION_FIELDS, 'targetWeight'],
  chunk: [...EXPECTATION_FIELDS, 'targets', 'chunkOfByte', 'chunkWeights'],
  embedding: ['patchToken', 'patchWeight'],
} as const satisfies Record<Loss, readonly BatchField[]>;

export interface WeightedLoss {
  readonly loss: Loss;
  readonly weight: number;
}

/** The losses that count, with their weights. */
export function weightedLosses(weights: Partial<Record<Loss, number>>): WeightedLoss[] {
  return Object.entries(weights).flatMap(([loss, weight]) => (weight > 0 ? [{ loss: loss as Loss, weight }] : []));
}

/** The fields that they read. */
export function lossFields(losses: readonly WeightedLoss[]): BatchField[] {
  return losses.flatMap(({ loss }) => LOSS_FIELDS[loss]);
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
export function embeddingTerm(
  params: Params,
  patches: tf.Tensor,
  batch: PartialBatch<Tensors>,
  variance: number,
): tf.Scalar {
  const { patchToken, patchWeight } = requireFields(batch, LOSS_FIELDS.embedding);
  const target = gatherRows(sourceEmbedding(params), patchToken);
  return embeddingLoss(patchVectors(params, patches), target, patchWeight, variance) as tf.Scalar;
}

/** What the source expects the next bytes to be [rows * length, 256]. */
function expectations(
  params: Params,
  config: BltConfig,
  { sourceStates, targetState, targetBounds }: TensorBatch<(typeof EXPECTATION_FIELDS)[number]>,
): tf.Tensor {
  const normal = rmsNorm(sourceStates, sourceNorm(params), config.global.rmsNormEps);
  return prefixMarginals(linear(normal, sourceHead(params)), targetState, targetBounds);
}

/** Losses of byte logits against text and source. The expectations are computed once, where a loss wants them. */
export function byteLosses(params: Params, config: BltConfig, batch: PartialBatch<Tensors>, logits: tf.Tensor) {
  let made: tf.Tensor | null = null;
  const marginals = () => {
    made ??= expectations(params, config, requireFields(batch, EXPECTATION_FIELDS));
    return made;
  };
  return {
    cross_entropy: () => byteCrossEntropy(logits, requireFields(batch, LOSS_FIELDS.cross_entropy)),
    prefix_kl: () => prefixKl(logits, marginals(), requireFields(batch, LOSS_FIELDS.prefix_kl).targetWeight),
    chunk: () => {
      const { targets, chunkOfByte, chunkWeights } = requireFields(batch, LOSS_FIELDS.chunk);
      return chunkLoss({
        studentLogProbabilities: byteLogProbabilities(logits, targets),
        sourceLogProbabilities: sourceLogProbabilities(marginals(), targets),
        chunkOfByte,
        chunkWeights,
        temperature: CHUNK_TEMPERATURE,
      });
    },
  };
}
