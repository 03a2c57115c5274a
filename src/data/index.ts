/** @module Training text: from files of any format to packed rows of bytes. */

export { type BuildStoreOptions, buildStore } from './build-store.js';
export { completeChunks } from './document-chunks.js';
export { documentsOf, lineDocuments } from './documents.js';
export {
  DEFAULT_DOMAIN,
  type DomainFiles,
  type DomainKind,
  type DomainRange,
  inReadingOrder,
  textDomain,
} from './domains.js';
export { embedText } from './embed-text.js';
export {
  allTexts,
  type DomainTexts,
  type EvaluationTextOptions,
  evaluationTexts,
  type OpeningOptions,
  openingTexts,
  plainTexts,
} from './evaluation-texts.js';
export { findFiles } from './find-files.js';
export type { Found } from './found.js';
export { linesOf } from './lines.js';
export { type FileState, listFiles } from './list-files.js';
export {
  type Alphabet,
  createPacker,
  fitsPacker,
  PACKER_START,
  type PackedRow,
  type Packer,
  type PackerOptions,
  type PackerState,
  type RowDocument,
} from './pack.js';
export { preparedShards } from './prepared/list-shards.js';
export * from './prepared/manifests.js';
export { checkShardSizes, SHARD_HINT, shardManifest, verifyShard } from './prepared/read-shard.js';
export { BrokenFile, collectRefusals, type Refusal, Unusable } from './refusal.js';
export { readEnds } from './split-ends.js';
export {
  type ByteStore,
  domainOf,
  MANIFEST_FILE,
  openSplit,
  openStore,
  readStoreManifest,
  type Split,
  type SplitFiles,
  type StoredSplit,
  type StoreManifest,
  textOf,
} from './store.js';
export { characterBytes, isContinuation, wholeCharacters } from './utf8.js';
export { warnRefused } from './warn-refused.js';
export { type WholeDocumentsOptions, wholeDocuments } from './whole-documents.js';
