/** @module Training text: from files of any format to packed rows of bytes. */

export { type BuildStoreOptions, buildStore } from './build-store.js';
export {
  DEFAULT_DOMAIN,
  type DomainFiles,
  type DomainKind,
  type DomainRange,
  inReadingOrder,
  textDomain,
} from './domains.js';

export {
  allTexts,
  type DomainTexts,
  type EvaluationTextOptions,
  evaluationTexts,
  type OpeningOptions,
  openingTexts,
  plainTexts,
} from './evaluation-texts.js';
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
export { collectRefusals, type Refusal } from './refusal.js';
export {
  type ByteStore,
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
