/** @module What a training loop optimises: which parameters it trains, what a batch must contain, and the loss. */
import {
  type Lora,
  readParts,
  type SourceRuns,
  type StageShape,
  stageRuns,
  type TensorSpec,
  trainedParts,
} from '../../blt/index.js';
import { crossEntropySum, type tf } from '../../engine/index.js';
import type { ForwardOptions, Params, TensorBatch, Tensors } from '../../model/index.js';
import { type BatchField, type PartialBatch, requireFields, type SourceTarget } from '../../patching/index.js';
import type { PreparerSettings } from '../batches/batch-preparer.js';

export interface StepLoss {
  /** The value that is differentiated: a sum over the micro-batch. */
  readonly value: tf.Scalar;
  /** The unweighted terms of the loss, each summed over the micro-batch, in the order of the objective's `parts`. */
  readonly parts: readonly tf.Scalar[];
}

export interface Objective {
  /** The LoRA adapters that are trained, or null. */
  readonly lora: Lora | null;
  /** Whether a tensor is trained; all others are frozen. */
  readonly trains: (spec: TensorSpec) => boolean;
  /** Whether the loss reads a tensor at all. */
  readonly reads: (spec: TensorSpec) => boolean;
  /** Tensors that the loss reads and that are not part of a BLT (the token-end head): checkpoints and exports do not list them as weights. */
  readonly extraTensors?: readonly TensorSpec[];
  /** Whether rows are cut into patches. */
  readonly patched: boolean;
  /** The tokenizer that labels token ends; omitted if the loss does not need them. */
  readonly labels?: { readonly tokenizerFolder: string };
  /** What the source must provide for each batch. If this is not empty, the parameters include the source's tensors, under `source.`. */
  readonly targets: readonly SourceTarget[];
  /** The batch field whose sum the loss is divided by. */
  readonly weights: PreparerSettings['weights'];
  /** The names of the loss terms in the metrics. The first is the one shown as progress. */
  readonly parts: readonly string[];
  /** The fields of a micro-batch that the loss reads. */
  readonly fields: readonly BatchField[];
  /**
   * Computes the loss of a micro-batch. It is traced, so it may depend only on tensors and on the batch's sizes.
   * @throws Error naming the fields that are missing from the batch.
   */
  readonly loss: (params: Params, batch: PartialBatch<Tensors>, options: ForwardOptions) => StepLoss;
}

/**
 * The `fields` and `loss` of an objective.
 * @param fields the fields that the function reads. They are checked before it is called.
 * @param also more fields, which the terms of the loss check themselves.
 */
export function lossOver<F extends BatchField>(
  fields: readonly F[],
  loss: (params: Params, batch: TensorBatch<F>, options: ForwardOptions) => StepLoss,
  also: readonly BatchField[] = [],
): Pick<Objective, 'fields' | 'loss'> {
  return {
    fields: [...new Set<BatchField>([...fields, ...also])],
    loss: (params, batch, options) => loss(params, requireFields(batch, fields), options),
  };
}

/** The name of the next-byte loss in nats. Logs show it in bits per byte. */
export const CROSS_ENTROPY = 'cross_entropy';

/** The batch fields that the next-byte loss reads. */
export const NEXT_BYTE_FIELDS = ['targets', 'weights'] as const;
export type NextByteBatch = TensorBatch<(typeof NEXT_BYTE_FIELDS)[number]>;

/** Cross-entropy of the next byte in nats, weighted and summed over positions. @param logits [rows * length, 260]. */
export function byteCrossEntropy(logits: tf.Tensor, { targets, weights }: NextByteBatch): tf.Scalar {
  return crossEntropySum(logits, targets, weights) as tf.Scalar;
}

/** A loss that consists of the next-byte cross-entropy only. @param logits [rows * length, 260]. */
export function nextByte(logits: tf.Tensor, batch: NextByteBatch): StepLoss {
  const value = byteCrossEntropy(logits, batch);
  return { value, parts: [value] };
}

/** Maps what a stage requires of the source to the batch targets that are made from it. */
const TARGETS = { tokens: 'encoder', states: 'states', distribution: 'bytes' } as const satisfies Partial<
  Record<keyof SourceRuns, SourceTarget>
>;

/** Everything that the kind of a stage determines: all of an objective except its loss. */
export function objectiveOfStage(stage: StageShape): Omit<Objective, 'fields' | 'loss'> {
  const runs = stageRuns(stage);
  const [trained, read] = [trainedParts(runs), readParts(runs)];
  return {
    lora: null,
    trains: ({ part, unused }) => !unused && trained.includes(part),
    reads: ({ part, unused }) => !unused && read.includes(part),
    patched: stage.kind !== 'patcher',
    targets: Object.entries(TARGETS).flatMap(([ask, target]) => (runs.source[ask as keyof SourceRuns] ? [target] : [])),
    weights: 'weights',
    parts: [CROSS_ENTROPY],
  };
}
