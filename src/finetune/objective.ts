/** @module What a training loop optimises: the parameters it moves, whether rows are cut for it, and the loss. */
import type { BltConfig, TensorSpec } from '../blt/index.js';
import { crossEntropySum, type tf } from '../engine/index.js';
import { bltForward, type Params, patcherForward } from '../model/index.js';

/** Tensors by the names of a batch's arrays. */
export type BatchTensors = Readonly<Record<string, tf.Tensor>>;

export interface Objective {
  /** Whether a tensor is moved; the others are held as they are. */
  readonly trains: (spec: TensorSpec) => boolean;
  /** Whether the loss reads a tensor at all. */
  readonly reads: (spec: TensorSpec) => boolean;
  /** Whether rows are cut into patches first. */
  readonly patched: boolean;
  /**
   * The sum of the weighted cross-entropies in nats over a micro-batch: a scalar with gradients. It is traced: it must depend on tensors alone.
   * @param shape rows and positions of the micro-batch.
   */
  readonly loss: (params: Params, batch: BatchTensors, shape: { rows: number; length: number }) => tf.Scalar;
}

function lossOf(logits: tf.Tensor, batch: BatchTensors): tf.Scalar {
  return crossEntropySum(logits, batch.targets!, batch.weights!) as tf.Scalar;
}

/** Next-byte loss of the byte language model that becomes the patcher (blt-format 2.1). */
export function patcherObjective(config: BltConfig): Objective {
  return {
    trains: ({ part }) => part === 'patcher',
    reads: ({ part }) => part === 'patcher',
    patched: false,
    loss: (params, batch, shape) => {
      const bytes = { ...shape, ids: batch.ids!, documents: batch.documents! };
      return lossOf(patcherForward(params, config.patcher, bytes), batch);
    },
  };
}

/** Next-byte loss through the whole BLT with the patcher frozen: the paper's way (section 3.1, blt-format 6.1). */
export function endToEndObjective(config: BltConfig, frozen: readonly string[]): Objective {
  return {
    trains: ({ part }) => part !== 'patcher' && !frozen.includes(part),
    reads: () => true,
    patched: true,
    loss: (params, batch, shape) => {
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
      return lossOf(bltForward(params, config, patched), batch);
    },
  };
}
