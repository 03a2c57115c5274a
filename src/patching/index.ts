/** @module Patches and tokens on the host: cuts, labels, chunks, token ends, the prefixes of a vocabulary. No TensorFlow. */

export { type Alignment, isLateCut } from './alignment.js';
export { type AlignmentRecord, readAlignment, writeAlignment } from './alignment-record.js';
export {
  type ByteBatch,
  type ByteRow,
  byteBatch,
  type Chunk,
  type PatchedBatch,
  patchedBatch,
  wholeRow,
} from './batch.js';
export {
  type BatchArray,
  type BatchArrays,
  bltArrays,
  byteArrays,
  patcherArrays,
  tokenEndArrays,
} from './batch-arrays.js';
export { boundaryLabels } from './boundary-labels.js';
export { type ByteReading, byteReadings } from './byte-positions.js';
export { canonicalTexts } from './canonical-texts.js';
export { type CanonicalToken, canonicalTokens } from './canonical-tokens.js';
export { type CutDocument, type SourceChunks, type SpecialTokens, sourceChunks } from './chunks.js';
export { type SourceToken, type TokensOf, tokensInPatches } from './patch-tokens.js';
export type { PatcherOutput } from './patcher-output.js';
export { openSourceReader, type SourceIds, type SourceReader } from './source-reader.js';
export {
  byteTargets,
  encoderTargets,
  patchStates,
  type RowReading,
  readRows,
  type SourceTarget,
  sourceArrays,
  sourceInputs,
} from './target-arrays.js';
export type { TextCut } from './text-cut.js';
export { CUT_AT_END, CUT_LATE, NO_CUT, textCuts } from './text-cuts.js';
export { type TokenEnds, tokenEnds } from './token-ends.js';
export { type SortedVocabulary, sortVocabulary } from './vocabulary.js';
