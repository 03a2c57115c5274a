/** @module What reading a file finds: the bytes of its documents, and what of it was skipped. */
import type { DomainKind } from './domains.js';
import type { FileChunksOptions } from './file-chunks.js';
import type { Refusal } from './refusal.js';

/** Where bytes are on disk as they are, so that they need not be copied. */
export interface Place {
  readonly path: string;
  /** In bytes, from the beginning of the file. */
  readonly offset: number;
}

/** The next bytes of a document (of text, cut between characters), with `ends` set on its last ones. */
export interface FoundBytes {
  readonly bytes: Uint8Array;
  readonly ends: boolean;
  /** Only of a document that comes as a whole. */
  readonly place?: Place;
}

/** Bytes, or something that was skipped. */
export type Found = FoundBytes | { readonly refused: Refusal };

export interface DocumentsOptions extends FileChunksOptions {
  readonly path: string;
  readonly kind: DomainKind;
  /** The key of a JSON record's text, or the column of a Parquet file's. */
  readonly textKey: string;
}
