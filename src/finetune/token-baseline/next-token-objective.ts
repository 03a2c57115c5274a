/** @module The next-token objective of a Llama: the source itself, trained in the same loop as a BLT to compare with it. */
import type { TensorSpec } from '../../blt/index.js';
import { crossEntropySum, type tf } from '../../engine/index.js';
import { type LlamaConfig, llamaTensors } from '../../llama/index.js';
import { llamaForward, PATCHER_FIELDS, type RopeLayout } from '../../model/index.js';
import { lossOver, NEXT_BYTE_FIELDS, type Objective } from '../stages/objective.js';

/** The name of its loss in the metrics, in nats per token. */
const TOKEN_CROSS_ENTROPY = 'token_cross_entropy';

function roleOf({ name, shape }: { readonly name: string; readonly shape: readonly number[] }): TensorSpec['role'] {
  if (shape.length === 1) return 'norm';
  return name.includes('embed_tokens') ? 'embedding' : 'linear';
}

/** The tensors of a Llama, which all begin with its values. It has no local models: everything counts as its layers. */
export const llamaSpecs = (config: LlamaConfig): TensorSpec[] =>
  llamaTensors(config).map((tensor) => ({ ...tensor, part: 'global', role: roleOf(tensor), initStd: 0 }));

/** Trains all of a Llama. @param ropeLayout the row order of its q and k */
export function nextTokenObjective(config: LlamaConfig, ropeLayout: RopeLayout): Objective {
  return {
    lora: null,
    trains: () => true,
    reads: () => false,
    extraTensors: llamaSpecs(config),
    patched: false,
    targets: [],
    weights: 'weights',
    parts: [TOKEN_CROSS_ENTROPY],
    ...lossOver([...PATCHER_FIELDS, ...NEXT_BYTE_FIELDS], (params, batch, options) => {
      const logits = llamaForward({ params, config, ropeLayout }, batch, options);
      const value = crossEntropySum(logits, batch.targets, batch.weights) as tf.Scalar;
      return { value, parts: [value] };
    }),
  };
}
