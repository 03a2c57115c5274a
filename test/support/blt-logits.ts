/** The logits of a BLT for rows that were segmented into patches, computed operation by operation. */
import type { BltConfig } from '../../src/blt/index.js';
import type { tf } from '../../src/engine/index.js';
import { BLT_FIELDS, batchTensors, bltForward, type Params } from '../../src/model/index.js';
import type { CutBatch } from '../../src/patching/index.js';

/** Next-byte logits [rows * length, 260]. The caller disposes them and all intermediate tensors: use it inside tidy. */
export function bltLogits(params: Params, config: BltConfig, batch: CutBatch): tf.Tensor {
  return bltForward(params, config, batchTensors(batch, BLT_FIELDS));
}
