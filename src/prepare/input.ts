/** @module One input of `byteify prepare`. */
import type { DomainKind, Found, PlannedInput } from '../data/index.js';

/** The name of standard input. */
export const STDIN = '-';

export interface ReadOptions {
  readonly kind: DomainKind;
  /** The key of a JSON record's text, and the column of Parquet's. */
  readonly column: string;
  /** Called with the stored bytes. */
  readonly onStored: (chunk: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/** One file, or standard input. */
export interface PrepareInput extends PlannedInput {
  /** Of a local file. */
  readonly path: string | null;
  /** Streams its documents. @throws BrokenFile where it is unusable; the signal's reason */
  documents(options: ReadOptions): AsyncIterable<Found>;
}
