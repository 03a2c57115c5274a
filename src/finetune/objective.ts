/** @module What a training loop optimises: the parameters it moves, whether rows are cut for it, and the loss. */
import type { BltConfig, Lora, TensorSpec } from '../blt/index.js';
import { crossEntropySum, type tf } from '../engine/index.js';
import { bltForward, type ForwardOptions, type Params, type PatchedTensors, patcherForward } from '../model/index.js';
import type { PreparerSettings, SourceTarget } from './batch-preparer.js';

/** Tensors by the names of a batch's arrays. */
export type BatchTensors = Readonly<Record<string, tf.Tensor>>;

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
  /** The array whose sum the loss is divided by. */
  readonly weights: PreparerSettings['weights'];
  /** The names of the loss's parts in metrics; the first is what a run is watched by. */
  readonly parts: readonly string[];
  /**
   * The loss over a micro-batch. It is traced: it must depend on tensors alone.
   * @param shape rows and positions of the micro-batch.
   */
  readonly loss: (params: Params, batch: BatchTensors, shape: BatchShape, options: ForwardOptions) => StepLoss;
}

/** Rows and positions of a micro-batch. */
export interface BatchShape {
  readonly rows: number;
  readonly length: number;
}

/** Of a next-byte loss, in nats: it is shown in bits per byte. */
export const CROSS_ENTROPY = 'cross_entropy';

/** Cross-entropy of the next byte, nats, summed over the positions that count. */
export function byteCrossEntropy(logits: tf.Tensor, batch: BatchTensors): tf.Scalar {
  return crossEntropySum(logits, batch.targets!, batch.weights!) as tf.Scalar;
}

/** A batch's tensors as the model takes them. */
export function patchedOf(batch: BatchTensors, shape: BatchShape): PatchedTensors {
  return {
    ...shape,
    ids: batch.ids!,
    documents: batch.documents!,
    hashRows: batch.hashRows!,
    encoderPatch: batch.encoderPatch!,
    decoderPatch: batch.decoderPatch!,
    patchDocuments: batch.patchDocuments!,
    patches: batch.patchDocuments!.shape[1]!,
  };
}

const NEXT_BYTE = { targets: [], weights: 'weights', parts: [CROSS_ENTROPY] } as const;

function nextByte(logits: tf.Tensor, batch: BatchTensors): StepLoss {
  const value = byteCrossEntropy(logits, batch);
  return { value, parts: [value] };
}

/** Next-byte loss of the byte language model that becomes the patcher (blt-format 2.1). */
export function patcherObjective(config: BltConfig): Objective {
  return {
    ...NEXT_BYTE,
    lora: null,
    trains: ({ part }) => part === 'patcher',
    reads: ({ part }) => part === 'patcher',
    patched: false,
    loss: (params, batch, shape, options) => {
      const bytes = { ...shape, ids: batch.ids!, documents: batch.documents! };
      return nextByte(patcherForward(params, config.patcher, bytes, options), batch);
    },
  };
}

/**
 * Next-byte loss through the whole BLT with the patcher frozen, as the paper trains a BLT from a Llama (arXiv 2412.09871, section 6.2).
 * @param frozen parts that are held. @param lora trains adapters in place of the latent global transformer's own weights.
 */
export function endToEndObjective(config: BltConfig, frozen: readonly string[], lora: Lora | null = null): Objective {
  const held = lora === null ? frozen : [...frozen, 'global'];
  return {
    ...NEXT_BYTE,
    lora,
    trains: ({ part }) => part !== 'patcher' && !held.includes(part),
    reads: () => true,
    patched: true,
    loss: (params, batch, shape, options) =>
      nextByte(bltForward(params, config, patchedOf(batch, shape), options), batch),
  };
}
