/**
 * @module Builds a text store: reads every document once as a stream, validates and deduplicates it, and cuts it into document chunks, each of
 * which belongs to one split.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { writeFolderAtomic } from '../fs/index.js';
import { documentsOf } from './documents.js';
import { fillEmptySplit } from './fill-empty-split.js';
import { findFiles } from './find-files.js';
import { BrokenFile, type Refusal } from './refusal.js';
import { MANIFEST_FILE, type StoreManifest } from './store.js';
import { createStoreWriter, type StoreWriter } from './store-writer.js';

export interface BuildStoreOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  /** The folder to create; an existing one is replaced at the end. */
  readonly out: string;
  /** Bytes per document chunk; longer documents are cut into several. */
  readonly chunkBytes: number;
  /** Fraction of the document chunks to hold out, between 0 and 1. */
  readonly validationFraction: number;
  readonly seed: number;
  /** The key of a JSON record's text. */
  readonly textKey: string;
  /** Called with the file that is being read and the bytes of text read so far from all files. */
  readonly onProgress?: (event: { path: string; bytes: number }) => void;
  readonly signal?: AbortSignal;
}

/** A wrong text key causes a refusal for every line of a corpus, so the list is bounded. */
const MAX_LISTED_REFUSALS = 10_000;

type FileFacts = StoreManifest['files'][number];

/** The result of reading one file: its facts, null if nothing of it was kept, and how many of its documents were duplicates. */
interface FileResult {
  readonly facts: FileFacts | null;
  readonly duplicates: number;
}

async function readFileInto(
  writer: StoreWriter,
  path: string,
  options: {
    textKey: string;
    refuse: (refusal: Refusal) => void;
    onBytes: (count: number) => void;
    signal: AbortSignal | undefined;
  },
): Promise<FileResult> {
  const { signal } = options;
  const before = writer.mark();
  const hash = createHash('sha256');
  let [size, documents, bytes, documentBytes, duplicates] = [0, 0, 0, 0, 0];
  const onStored = (chunk: Uint8Array) => {
    hash.update(chunk);
    size += chunk.length;
  };
  try {
    for await (const found of documentsOf({ path, textKey: options.textKey, onStored, ...(signal && { signal }) })) {
      if ('refused' in found) {
        options.refuse(found.refused);
        continue;
      }
      await writer.write(found.bytes);
      documentBytes += found.bytes.length;
      options.onBytes(found.bytes.length);
      if (!found.ends) continue;
      if (await writer.endDocument()) {
        documents++;
        bytes += documentBytes;
      } else {
        duplicates++;
      }
      documentBytes = 0;
    }
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    writer.rollBack(before);
    options.refuse(error.refusal);
    return { facts: null, duplicates: 0 };
  }
  const facts = { path, size_bytes: size, sha256: hash.digest('hex'), documents, bytes };
  return { facts: documents === 0 ? null : facts, duplicates };
}

/**
 * Builds the store and writes `out` atomically.
 * @returns the manifest: what was read, and what was refused.
 * @throws UsageError if a path does not exist; ByteifyError if no text is usable, or too little to hold any out; the signal's reason.
 */
export async function buildStore(options: BuildStoreOptions): Promise<StoreManifest> {
  const { paths, out, chunkBytes, validationFraction, seed, textKey, onProgress, signal } = options;
  const found = await findFiles(paths, signal);
  const refused = [...found.refused];
  let refusedCount = refused.length;
  const refuse = (refusal: Refusal) => {
    if (refusedCount++ < MAX_LISTED_REFUSALS) refused.push(refusal);
  };
  return writeFolderAtomic(out, async (folder) => {
    const writer = await createStoreWriter({ folder, chunkBytes, validationFraction, seed });
    const files: FileFacts[] = [];
    const duplicateFiles: { path: string; documents: number }[] = [];
    let doneBytes = 0;
    let written: Awaited<ReturnType<StoreWriter['close']>>;
    try {
      for (const path of found.files) {
        const onBytes = (count: number) => {
          signal?.throwIfAborted();
          doneBytes += count;
          onProgress?.({ path, bytes: doneBytes });
        };
        signal?.throwIfAborted();
        const result = await readFileInto(writer, path, { textKey, refuse, onBytes, signal });
        if (result.facts !== null) files.push(result.facts);
        if (result.duplicates > 0) duplicateFiles.push({ path, documents: result.duplicates });
      }
    } finally {
      written = await writer.close();
    }
    if (written.train.pieces + written.validation.pieces === 0) throw nothingToUse(refused, refusedCount);
    const splits = await fillEmptySplit(folder, written, seed);
    if (splits.train.pieces === 0 || splits.validation.pieces === 0) throw tooLittle(chunkBytes);
    const manifest: StoreManifest = {
      files,
      refused,
      refused_count: refusedCount,
      duplicates: duplicateFiles.reduce((sum, { documents }) => sum + documents, 0),
      duplicate_files: duplicateFiles,
      ...splits,
      seed,
      piece_bytes: chunkBytes,
      validation_fraction: validationFraction,
      text_key: textKey,
    };
    await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  });
}

function nothingToUse(refused: readonly Refusal[], count: number): ByteifyError {
  const [first] = refused;
  if (first === undefined)
    return new ByteifyError('The folders that --data names contain no files.', {
      hint: 'Hidden files and node_modules are skipped. Pass text or JSON lines, plain or compressed with gzip or zstd.',
    });
  const where = first.line === undefined ? first.path : `${first.path}:${first.line}`;
  const others = count === 1 ? '' : `, and ${count - 1} more`;
  return new ByteifyError(`--data contains no usable text (${where}: ${first.reason}${others}).`, {
    hint: 'Pass text or JSON lines, plain or compressed with gzip or zstd; data.text_key names the key that contains the text.',
  });
}

function tooLittle(chunkBytes: number): ByteifyError {
  return new ByteifyError(
    `There is too little text to split into training and validation text: it makes only one document chunk of at most ${chunkBytes} bytes.`,
    { hint: 'Pass more text, or lower data.max_document_bytes to get more document chunks.' },
  );
}
