/** @module The models in tfjs operations. Loads TensorFlow when the engine is started. */
export {
  type ByteBatch,
  type ByteRow,
  byteBatch,
  type Chunk,
  type PatchedBatch,
  patchedBatch,
  wholeRow,
} from './batch.js';
export { type ByteTensors, byteTensors, type PatchedTensors, patchedTensors } from './batch-tensors.js';
export { type BitsPerByte, bltBitsPerByte, llamaBitsPerByte } from './bits-per-byte.js';
export { blockContext, type ForwardOptions } from './block.js';
export {
  bltDecode,
  bltEncode,
  bltForward,
  bltLogits,
  type CutRows,
  cutIntoPatches,
  nextByteLoss,
  positionLosses,
  type Targets,
} from './blt.js';
export {
  type Decoding,
  type DecodingOptions,
  openDecoding,
  type SlotState,
} from './decoding/decoding.js';
export type { SlotOutput } from './decoding/read-slots.js';
export { openResidentModel, type ResidentModel, residentParams, type WeightsType } from './decoding/resident-model.js';
export { openScorer, type Scorer } from './decoding/scorer.js';
export { openSegmenter, type Segmenter } from './decoding/segmenter.js';
export { globalLayers, patchVectors } from './global-transformer.js';
export { type LlamaModel, llamaHidden, llamaLayers, llamaLosses } from './llama.js';
export { disposeParams, loadParams, loadVariable } from './load-params.js';
export { localDecoder } from './local-decoder.js';
export { type BltModel, openBlt, readBltConfig } from './open-blt.js';
export { openLlamaModel } from './open-llama.js';
export { type Params, param } from './params.js';
export { entropyOf, patcherEntropies, patcherForward, patcherHead, patcherHidden, patcherLogits } from './patcher.js';
export type { RopeLayout } from './rope.js';
export { type ByteScores, scoreTexts, type TextCut } from './score.js';
