/** @module The models as functions over tfjs tensors. Importing it does not load TensorFlow's library; starting the engine does. */
export {
  type BatchInputs,
  BLT_FIELDS,
  type BltBatch,
  batchInputs,
  batchTensors,
  DECODER_FIELDS,
  ENCODER_FIELDS,
  PATCHER_FIELDS,
  type TensorBatch,
  type Tensors,
} from './batch-tensors.js';
export {
  bltDecode,
  bltEncode,
  bltForward,
  byteEmbeddings,
  crossLayers,
  globalLayers,
  localDecoder,
  patchVectors,
} from './blt.js';
export { type Decoding, type DecodingOptions, openDecoding, type SlotState } from './decoding/decoding.js';
export { type LlamaDecoding, openLlamaDecoding } from './decoding/llama-decoding.js';
export { logSumExp } from './decoding/log-sum-exp.js';
export type { SlotOutput } from './decoding/read-slots.js';
export { openResidentModel, type ResidentModel, residentParams, type WeightsType } from './decoding/resident-model.js';
export { openSegmenter, type Segmenter } from './decoding/segmenter.js';
export { patchLengthsOf } from './decoding/sequence-slots.js';
export { type LlamaModel, llamaBlocks, llamaForward, llamaHidden, llamaLayers, llamaLosses } from './llama.js';
export { disposeParams, loadFrozen, loadParams, loadVariable } from './load-params.js';
export { byteLogProbabilities, sourceLogProbabilities } from './log-probabilities.js';
export { nextByteLoss, positionLosses, type Targets } from './next-byte-loss.js';
export { type BltModel, openBlt } from './open-blt.js';
export { openLlamaModel } from './open-llama.js';
export { type Params, param } from './params.js';
export { cutIntoPatches } from './patcher/cut-into-patches.js';
export { loadPatcher } from './patcher/load.js';
export { patcherOutput, tokenEndLogits } from './patcher/output.js';
export {
  entropyOf,
  patcherForward,
  patcherHead,
  patcherHidden,
} from './patcher/patcher.js';
export { createPatcherRunner, type PatcherRunner } from './patcher/runner.js';
export { TOKEN_END_HEAD, tokenEndHead } from './patcher/token-end-head.js';
export { prefixMarginals } from './prefix-marginals.js';
export {
  loadSourceLayers,
  loadSourceTensors,
  type SourceTensors,
  sourceEmbedding,
  sourceHead,
  sourceLayers,
  sourceNorm,
} from './source-tensors.js';
export { blockContext, type ForwardOptions, feedForward, type RopeLayout } from './transformer.js';
