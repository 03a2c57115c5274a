/** @module Documents as they are, one after another: what a model is measured on. */
import { documentsOf } from './documents.js';
import { findFiles } from './find-files.js';
import { BrokenFile, type Refusal } from './refusal.js';
import { wholeCharacters } from './utf8.js';

export interface WholeDocumentsOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  /** Where a JSON record holds its text. */
  readonly textKey: string;
  /** All documents together; the last one is cut between characters. */
  readonly maxBytes: number;
  readonly onRefused: (refusal: Refusal) => void;
  readonly signal?: AbortSignal;
}

/** @param left tells how many bytes are wanted still: of a longer document its beginning comes, more than that, and nothing follows. */
async function* documentsOfFile(
  path: string,
  { textKey, onRefused, signal }: WholeDocumentsOptions,
  left: () => number,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const found of documentsOf({ path, textKey, onStored: () => undefined, ...(signal && { signal }) })) {
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
 * Non-empty documents, each valid UTF-8, to be read once. A file that cannot be used, or a line of it, is told and left out; of one that breaks off,
 * what came before stands.
 * @throws UsageError for a path that does not exist, before anything is read.
 */
export async function wholeDocuments(options: WholeDocumentsOptions): Promise<AsyncIterable<Uint8Array>> {
  const { files, refused } = await findFiles(options.paths, options.signal);
  for (const refusal of refused) options.onRefused(refusal);
  return documentsOfFiles(files, options);
}
