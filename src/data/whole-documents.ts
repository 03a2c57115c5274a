/** @module Reads whole documents one after another, for evaluation. */
import { documentsOf } from './documents.js';
import { findFiles } from './find-files.js';
import { BrokenFile, type Refusal } from './refusal.js';
import { wholeCharacters } from './utf8.js';

export interface WholeDocumentsOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  /** The key of a JSON record's text. */
  readonly textKey: string;
  /** Limit on the bytes of all documents together; the last one is cut between characters. */
  readonly maxBytes: number;
  readonly onRefused: (refusal: Refusal) => void;
  readonly signal?: AbortSignal;
}

/** @param left returns how many bytes are still wanted. Of a longer document only a beginning with more bytes than that is yielded, as the last one. */
async function* documentsOfFile(
  path: string,
  { textKey, onRefused, signal }: WholeDocumentsOptions,
  left: () => number,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const found of documentsOf({
    path,
    kind: 'text',
    textKey,
    onStored: () => undefined,
    ...(signal && { signal }),
  })) {
    if ('refused' in found) {
      onRefused(found.refused);
      continue;
    }
    parts.push(found.bytes);
    length += found.bytes.length;
    if (!found.ends && length <= left()) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
}

async function* documentsOfFiles(files: readonly string[], options: WholeDocumentsOptions): AsyncGenerator<Uint8Array> {
  let left = options.maxBytes;
  for (const path of files) {
    try {
      for await (const document of documentsOfFile(path, options, () => left)) {
        const bytes = document.subarray(0, wholeCharacters(document.subarray(0, left)));
        if (bytes.length > 0) yield bytes;
        if (bytes.length < document.length) return;
        left -= bytes.length;
      }
    } catch (error) {
      if (!(error instanceof BrokenFile)) throw error;
      options.onRefused(error.refusal);
    }
  }
}

/**
 * Non-empty documents of valid UTF-8, which can be iterated once. Unusable files and lines are reported through `onRefused` and left out;
 * documents that precede the fault in a truncated file are kept.
 * @throws UsageError if a path does not exist, before anything is read.
 */
export async function wholeDocuments(options: WholeDocumentsOptions): Promise<AsyncIterable<Uint8Array>> {
  const { files, refused } = await findFiles(options.paths, options.signal);
  for (const refusal of refused) options.onRefused(refusal);
  return documentsOfFiles(files, options);
}
