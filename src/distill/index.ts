/** @module Distillation: the source's reading of a BLT's patches, and the losses that compare. Loads TensorFlow when the engine is started. */
export { binaryCrossEntropySum } from './binary-cross-entropy.js';
export { boundaryLabels } from './boundary-labels.js';
export { type Boundary, boundaryLoss } from './boundary-loss.js';
export { bytePlaces } from './byte-places.js';
export { type CanonicalToken, canonicalTokens } from './canonical.js';
export { type ChunkLossInputs, chunkLoss } from './chunk-loss.js';
export { type CutDocument, type SourceChunks, type SpecialTokens, sourceChunks } from './chunks.js';
export { type Alignment, isLateCut } from './cuts.js';
export { embeddingLoss } from './embedding-loss.js';
export { addProducts, emptyProducts, type Products, principalDirections, ridge } from './least-squares.js';
export { byteLogProbabilities, sourceLogProbabilities } from './log-probabilities.js';
export { type SourceToken, type TokensOf, tokensInPatches } from './patch-tokens.js';
export { prefixKl } from './prefix-kl.js';
export { prefixMarginals } from './prefix-marginals.js';
export {
  type BytePlace,
  type SegmentationReport,
  type SegmentedText,
  type SourceNats,
  segmentationReport,
} from './segmentation-report.js';
export { openSourceReader, type SourceIds, type SourceReader } from './source-reader.js';
export { byteTargets, encoderTargets, patchStates, type RowReading, readRows, sourceInputs } from './target-arrays.js';
export { type ObservedText, type Telescope, telescope } from './telescope.js';
export { CUT_AT_END, CUT_LATE, NO_CUT, textCuts } from './text-cuts.js';
export { TOKEN_END_HEAD, tokenEndHead } from './token-end-head.js';
export { type TokenEnds, tokenEnds } from './token-ends.js';
export { type SortedVocabulary, sortVocabulary } from './vocabulary.js';
