/** @module The patcher on a whole text, operation by operation: for measuring. */
import { type BltConfig, encodeBytes } from '../../blt/index.js';
import { tf } from '../../engine/index.js';
import type { PatcherOutput } from '../../patching/index.js';
import { byteBatch, wholeRow } from '../../patching/index.js';
import { byteTensors } from '../batch-tensors.js';
import type { Params } from '../params.js';
import { patcherOutput } from './output.js';

/** What the patcher says at each position of a text after its BOS [bytes + 1]: position i + 1 holds byte i. */
export function readText(params: Params, config: BltConfig, text: Uint8Array): PatcherOutput {
  const batch = byteBatch([wholeRow(encodeBytes(text))]);
  const out = tf.tidy(() => patcherOutput(params, config.patcher, byteTensors(batch)));
  const [entropies, endProbabilities = null] = out.map((values) => values.dataSync() as Float32Array);
  tf.dispose(out);
  return { entropies: entropies!, endProbabilities };
}
