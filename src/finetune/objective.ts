/** @module What a training loop optimises: the parameters it moves, whether rows are cut for it, and the loss. */
import type { BltConfig, Lora, TensorSpec } from '../blt/index.js';
import { crossEntropySum, type tf } from '../engine/index.js';
import { bltForward, type ForwardOptions, type Params, patcherForward } from '../model/index.js';

/** Tensors by the names of a batch's arrays. */
export type BatchTensors = Readonly<Record<string, tf.Tensor>>;

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
  /**
   * The sum of the weighted cross-entropies in nats over a micro-batch: a scalar with gradients. It is traced: it must depend on tensors alone.
   * @param shape rows and positions of the micro-batch.
   */
  readonly loss: (params: Params, batch: BatchTensors, shape: BatchShape, options: ForwardOptions) => tf.Scalar;
}

/** Rows and positions of a micro-batch. */
export interface BatchShape {
  readonly rows: number;
  readonly length: number;
}

function lossOf(logits: tf.Tensor, batch: BatchTensors): tf.Scalar {
  return crossEntropySum(logits, batch.targets!, batch.weights!) as tf.Scalar;
}

/** Next-byte loss of the byte language model that becomes the patcher (blt-format 2.1). */
export function patcherObjective(config: BltConfig): Objective {
  return {
    lora: null,
    trains: ({ part }) => part === 'patcher',
    reads: ({ part }) => part === 'patcher',
    patched: false,
    loss: (params, batch, shape, options) => {
      const bytes = { ...shape, ids: batch.ids!, documents: batch.documents! };
      return lossOf(patcherForward(params, config.patcher, bytes, options), batch);
    },
  };
}

/**
 * Next-byte loss through the whole BLT with the patcher frozen: the paper's way (section 3.1, blt-format 6.1).
 * @param frozen parts that are held. @param lora trains adapters in place of the latent global transformer's own weights.
 */
export function endToEndObjective(config: BltConfig, frozen: readonly string[], lora: Lora | null = null): Objective {
  const held = lora === null ? frozen : [...frozen, 'global'];
  return {
    lora,
    trains: ({ part }) => part !== 'patcher' && !held.includes(part),
    reads: () => true,
    patched: true,
    loss: (params, batch, shape, options) => {
      const patched = {
        ...shape,
        ids: batch.ids!,
        documents: batch.documents!,
        hashRows: batch.hashRows!,
        encoderPatch: batch.encoderPatch!,
        decoderPatch: batch.decoderPatch!,
        patchDocuments: batch.patchDocuments!,
        patches: batch.patchDocuments!.shape[1]!,
      };
      return lossOf(bltForward(params, config, patched, options), batch);
    },
  };
}
