/** @module What reading a file finds: the bytes of its documents, and what of it was skipped. */
import type { DomainKind } from './domains.js';
import type { FileChunksOptions } from './file-chunks.js';
import type { Refusal } from './refusal.js';

/** The next bytes of a document (of text, cut between characters), with `ends` set on its last ones; or something that was skipped. */
export type Found = { readonly bytes: Uint8Array; readonly ends: boolean } | { readonly refused: Refusal };

export interface DocumentsOptions extends FileChunksOptions {
  readonly path: string;
  readonly kind: DomainKind;
  /** The key of a JSON record's text, or the column of a Parquet file's. */
  readonly textKey: string;
}
