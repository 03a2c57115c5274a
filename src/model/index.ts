/** @module The models in tfjs operations. Loads TensorFlow when the engine is started. */
export {
  type BatchShape,
  type BatchTensors,
  type ByteTensors,
  batchTensor,
  batchTensors,
  byteTensors,
  type PatchedTensors,
  patchedOf,
  patchedTensors,
} from './batch-tensors.js';
export { bltDecode, bltEncode, bltForward, bltLogits, globalLayers, localDecoder, patchVectors } from './blt.js';
export { type Cutter, openCutter } from './decoding/cutter.js';
export {
  type Decoding,
  type DecodingOptions,
  type LaneOutput,
  type LaneState,
  openDecoding,
} from './decoding/decoding.js';
export { type HeldBlt, type HeldWeights, heldParams, openHeldBlt } from './decoding/held-blt.js';
export { patchLengthsOf } from './decoding/lanes.js';
export { type LlamaModel, llamaHidden, llamaLayers, llamaLosses } from './llama.js';
export { disposeParams, loadParams, loadVariable } from './load-params.js';
export { byteLogProbabilities, sourceLogProbabilities } from './log-probabilities.js';
export { nextByteLoss, positionLosses, type Targets } from './next-byte-loss.js';
export { type BltModel, openBlt, readBltConfig } from './open-blt.js';
export { openLlamaModel } from './open-llama.js';
export { type Params, param } from './params.js';
export { type CutRows, cutIntoPatches } from './patcher/cut-rows.js';
export { loadPatcher } from './patcher/load.js';
export { tokenEndLogits } from './patcher/output.js';
export {
  entropyOf,
  patcherEntropies,
  patcherForward,
  patcherHead,
  patcherHidden,
  patcherLogits,
} from './patcher/patcher.js';
export { readText } from './patcher/read-text.js';
export { createPatcherRunner, type PatcherRunner } from './patcher/runner.js';
export { TOKEN_END_HEAD, tokenEndHead } from './patcher/token-end-head.js';
export { prefixMarginals } from './prefix-marginals.js';
export { loadSourceTensors, type SourceTensors, sourceEmbedding, sourceHead, sourceNorm } from './source-tensors.js';
export { blockContext, type ForwardOptions, type RopeLayout } from './transformer.js';
