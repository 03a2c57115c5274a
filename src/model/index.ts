/** @module The models in tfjs operations. Loads TensorFlow when the engine is started. */
export { type ByteBatch, type ByteRow, byteBatch, type Chunk, type PatchedBatch, patchedBatch, wholeRow } from './batch.js';
export { bltLogits, type CutRows, cutIntoPatches, meanLoss, positionLosses, type Targets } from './blt.js';
export { type LlamaModel, llamaLayers, llamaLosses } from './llama.js';
export { disposeParams, loadParams } from './load-params.js';
export { type Params, param } from './params.js';
export { entropyOf, patcherEntropies, patcherLogits } from './patcher.js';
export type { RopeLayout } from './rope.js';
