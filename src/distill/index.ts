/** @module What turns the source into targets: its reading of a BLT's patches, and the losses that compare. */
export { boundaryLabels } from './boundary-labels.js';
export { type CanonicalToken, canonicalTokens } from './canonical.js';
export { type CutDocument, type SourceChunks, type SpecialTokens, sourceChunks } from './chunks.js';
export { type Alignment, isLateCut } from './cuts.js';
export { type SourceToken, type TokensOf, tokensInPatches } from './patch-tokens.js';
export { openSourceReader, type SourceIds, type SourceReader } from './source-reader.js';
export { byteTargets, encoderTargets, patchStates, type RowReading, readRows, sourceInputs } from './target-arrays.js';
export { TOKEN_END_HEAD, tokenEndHead } from './token-end-head.js';
export { type TokenEnds, tokenEnds } from './token-ends.js';
export { type SortedVocabulary, sortVocabulary } from './vocabulary.js';
