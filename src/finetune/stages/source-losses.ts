/** @module The losses of a distillation: encoder patches and byte logits against the source, and their weighted sum. */
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

/** Divides log-probabilities of chunks. The value is Bolmo's (arXiv 2512.15586, section 3.2.1). */
const CHUNK_TEMPERATURE = 5;

/** The name under which each loss appears in the metrics. */
export const LOSS_METRICS = {
  cross_entropy: CROSS_ENTROPY,
  prefix_kl: 'prefix_kl',
  chunk: 'chunk',
  embedding: 'embedding',
} as const;
export type Loss = keyof typeof LOSS_METRICS;

/** The fields from which the source's next-byte distribution is computed. */
const EXPECTATION_FIELDS = ['sourceStates', 'targetState', 'targetBounds'] as const;

/** The batch fields that each loss reads in addition to the model's inputs. */
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

/** The losses whose weight is above zero. */
export function weightedLosses(weights: Partial<Record<Loss, number>>): WeightedLoss[] {
  return Object.entries(weights).flatMap(([loss, weight]) => (weight > 0 ? [{ loss: loss as Loss, weight }] : []));
}

/** The batch fields that these losses read. */
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

/**
 * Squared distance between the encoder's patches and the embeddings of their tokens, relative to the embeddings' variance and summed over the
 * patches that are exactly one token.
 * @param patches the encoder's output. @param variance of the source's embeddings, averaged over channels.
 */
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

/** The source's next-byte distribution at each position [rows * length, 256]. */
function expectations(
  params: Params,
  config: BltConfig,
  { sourceStates, targetState, targetBounds }: TensorBatch<(typeof EXPECTATION_FIELDS)[number]>,
): tf.Tensor {
  const normal = rmsNorm(sourceStates, sourceNorm(params), config.global.rmsNormEps);
  return prefixMarginals(linear(normal, sourceHead(params)), targetState, targetBounds);
}

/** The losses of byte logits [rows * length, 260] as thunks. The source's distribution is computed once, and only if a loss needs it. */
export function byteLosses(params: Params, config: BltConfig, batch: PartialBatch<Tensors>, logits: tf.Tensor) {
  let distribution: tf.Tensor | null = null;
  const marginals = () => {
    distribution ??= expectations(params, config, requireFields(batch, EXPECTATION_FIELDS));
    return distribution;
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
