/** @module What a training loop optimises: the parameters it moves, whether rows are cut for it, and the loss. */
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
  /** What is differentiated: a sum over the micro-batch. */
  readonly value: tf.Scalar;
  /** What it is made of, each a sum like it, in the order of the objective's `parts`. */
  readonly parts: readonly tf.Scalar[];
}

export interface Objective {
  /** Adapters that are trained too, or null. */
  readonly lora: Lora | null;
  /** Whether a tensor is moved; the others are held as they are. */
  readonly trains: (spec: TensorSpec) => boolean;
  /** Whether the loss reads a tensor at all. */
  readonly reads: (spec: TensorSpec) => boolean;
  /** Tensors beside the model's own, which the loss reads: no checkpoint has them among its weights, no export sees them. */
  readonly extra?: readonly TensorSpec[];
  /** Whether rows are cut into patches first. */
  readonly patched: boolean;
  /** What token ends are told by; left out where they are not needed. */
  readonly labels?: { readonly tokenizerFolder: string };
  /** What the source is asked about each batch; its tensors are among the parameters then, under `source.`. */
  readonly targets: readonly SourceTarget[];
  /** The field whose sum the loss is divided by. */
  readonly weights: PreparerSettings['weights'];
  /** The names of the loss's parts in metrics; the first is what a run is watched by. */
  readonly parts: readonly string[];
  /** The fields of a micro-batch that the loss reads. */
  readonly fields: readonly BatchField[];
  /**
   * The loss over a micro-batch. It is traced: it must depend on tensors and on the batch's sizes alone.
   * @throws Error that names the fields that the batch lacks.
   */
  readonly loss: (params: Params, batch: PartialBatch<Tensors>, options: ForwardOptions) => StepLoss;
}

/**
 * The part of an objective that is its loss.
 * @param fields what the function reads: its batch has them.
 * @param also fields that its terms ask for by themselves.
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

/** Of a next-byte loss, in nats: it is shown in bits per byte. */
export const CROSS_ENTROPY = 'cross_entropy';

/** What the loss of the next byte reads. */
export const NEXT_BYTE_FIELDS = ['targets', 'weights'] as const;
export type NextByteBatch = TensorBatch<(typeof NEXT_BYTE_FIELDS)[number]>;

/** Cross-entropy of the next byte, nats, summed over the positions that count. */
export function byteCrossEntropy(logits: tf.Tensor, { targets, weights }: NextByteBatch): tf.Scalar {
  return crossEntropySum(logits, targets, weights) as tf.Scalar;
}

/** The loss of the next byte alone. */
export function nextByte(logits: tf.Tensor, batch: NextByteBatch): StepLoss {
  const value = byteCrossEntropy(logits, batch);
  return { value, parts: [value] };
}

/** Which of a batch's targets come from what a stage asks of the source. */
const TARGETS = { tokens: 'encoder', states: 'states', distribution: 'bytes' } as const satisfies Partial<
  Record<keyof SourceRuns, SourceTarget>
>;

/** What follows from the kind of a stage: all of an objective but its loss, the next byte's unless it says otherwise. */
export function objectiveOfStage(stage: StageShape): Omit<Objective, 'fields' | 'loss'> {
  const runs = stageRuns(stage);
  const [moved, read] = [trainedParts(runs), readParts(runs)];
  return {
    lora: null,
    trains: ({ part }) => moved.includes(part),
    reads: ({ part }) => read.includes(part),
    patched: stage.kind !== 'patcher',
    targets: Object.entries(TARGETS).flatMap(([ask, target]) => (runs.source[ask as keyof SourceRuns] ? [target] : [])),
    weights: 'weights',
    parts: [CROSS_ENTROPY],
  };
}
