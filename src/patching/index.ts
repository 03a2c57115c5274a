/** @module Patches and tokens on the host: boundaries, labels, chunks, token ends, vocabulary prefixes. No TensorFlow. */
export { type Alignment, isLateCut } from './alignment.js';
export { type AlignmentRecord, readAlignment, writeAlignment } from './alignment-record.js';
export {
  type Arrays,
  BATCH_FIELDS,
  type BatchField,
  type BatchSizes,
  type BatchWith,
  type FieldValues,
  fieldShape,
  type PartialBatch,
  requireFields,
} from './batch.js';
export { boundaryLabels } from './boundary-labels.js';
export { type ByteRow, byteBatch, learningFields, textBatch, wholeRow, withDocuments } from './byte-batch.js';
export { type ByteReading, byteReadings } from './byte-readings.js';
export { canonicalTexts } from './canonical-texts.js';
export { type CanonicalToken, canonicalTokens } from './canonical-tokens.js';
export { characterStart } from './characters.js';
export { type CutDocument, type SourceChunks, type SpecialTokens, sourceChunks } from './chunks.js';
export { type CutBatch, type CutRows, cutRows } from './cut-rows.js';
export { type SourceToken, type TokensOf, tokensInPatches } from './patch-tokens.js';
export type { PatcherOutput } from './patcher-output.js';
export { type RowReading, readRows } from './row-reading.js';
export {
  byteTargets,
  patchStates,
  patchTokens,
  type SourceTarget,
  sourceInputs,
  withSource,
} from './source-fields.js';
export { openSourceReader, type SourceIds, type SourceReader, startTokenOf } from './source-reader.js';
export type { TextCut } from './text-cut.js';
export { CUT_AT_END, CUT_LATE, NO_CUT, textCuts } from './text-cuts.js';
export { tokenEndFields } from './token-end-fields.js';
export { type TokenEnds, tokenEnds } from './token-ends.js';
export { type SortedVocabulary, sortVocabulary } from './vocabulary.js';
