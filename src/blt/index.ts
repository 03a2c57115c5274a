/** @module The BLT format: vocabulary, hash n-grams, patches, config, tensors. No TensorFlow. */
export { type Adapter, adaptersOf, type Lora } from './adapters.js';
export { bitsPerByte } from './bits-per-byte.js';
export {
  type ClosedFormWork,
  closedFormFlops,
  DECODER_FIT_EPOCHS,
  ENCODER_FIT_EPOCHS,
  expectedPositions,
  PREFIX_CLASSES,
} from './closed-form-flops.js';
export { closedFormText } from './closed-form-text.js';
export {
  type BltConfig,
  encoderCrossLayers,
  needsProjection,
  type RopeConfig,
  type TransformerConfig,
} from './config.js';
export { configDigest } from './config-digest.js';
export { configText } from './config-text.js';
export {
  type FlopParts,
  type Flops,
  forwardFlops,
  type LeastSquares,
  leastSquaresOf,
  meanVisibleKeys,
  type SourceShape,
  type StageFlops,
  sourceForwardFlops,
  stageFlops,
  type TextShape,
  totalFlops,
  trainingFlops,
  trainingFlopsPerByte,
} from './flops.js';
export { type HashConfig, hashRows, hashTables } from './hash-rows.js';
export { localChannels } from './local-channels.js';
export { bltConfigFor, deriveLocalSizes, type LocalSizes, type SourceSizes } from './local-sizes.js';
export { MUON_STEPS, type MuonShare, muonFlops, muonShare, type Optimizer, trainedByMuon } from './muon.js';
export { parseBltConfig } from './parse-config.js';
export { type PatchIds, patchIds, patchLengths, patchStarts } from './patches.js';
export { type QueryBlock, queryBlocks } from './query-blocks.js';
export { readBltConfig } from './read-config.js';
export { inverseFrequencies } from './rope.js';
export { parseRope, ropeKeys } from './rope-parameters.js';
export { loadsSourceLayers, needsSource } from './source-layers.js';
export {
  type Involvement,
  readParts,
  SECTIONS,
  type Section,
  type SourceRuns,
  type StageRuns,
  type StageShape,
  stageRuns,
  trainedParts,
} from './stage-kinds.js';
export { bltTensors, layerTensors, type Part, patcherTensors, type Role, type TensorSpec } from './tensors.js';
export { textPositions } from './text-positions.js';
export { toTransformersConfig } from './transformers-config.js';
export { BOE, BOS, BPE_DELIMITER, BYTE_OFFSET, decodeBytes, EOS, encodeBytes, VOCAB_SIZE } from './vocabulary.js';
