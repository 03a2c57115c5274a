/** @module Reads the documents of one file into a store. */
import { createHash } from 'node:crypto';
import { documentsOf } from './documents.js';
import type { DomainFiles } from './domains.js';
import { BrokenFile, type Refusal } from './refusal.js';
import type { StoreManifest } from './store.js';
import type { StoreWriter } from './store-writer.js';

export type FileFacts = StoreManifest['files'][number];

/** The result of reading one file: its facts, null if it could not be read to its end, and how many of its documents were duplicates. */
export interface FileResult {
  readonly facts: FileFacts | null;
  readonly duplicates: number;
}

/** Reads the documents of a file into a store. A file that is unusable to its end leaves nothing there. @throws the signal's reason */
export async function readFileInto(
  writer: StoreWriter,
  path: string,
  options: {
    domain: DomainFiles;
    textKey: string;
    refuse: (refusal: Refusal) => void;
    onBytes: (count: number) => void;
    signal: AbortSignal | undefined;
  },
): Promise<FileResult> {
  const { domain, textKey, refuse, signal } = options;
  const before = writer.mark();
  const hash = createHash('sha256');
  let [size, documents, bytes, documentBytes, duplicates] = [0, 0, 0, 0, 0];
  const onStored = (chunk: Uint8Array) => {
    hash.update(chunk);
    size += chunk.length;
  };
  try {
    for await (const found of documentsOf({ path, kind: domain.kind, textKey, onStored, ...(signal && { signal }) })) {
      if ('refused' in found) {
        refuse(found.refused);
        continue;
      }
      documentBytes += found.bytes.length;
      options.onBytes(found.bytes.length);
      const isTooLong = domain.longer === 'leave_out' && documentBytes > domain.chunkBytes;
      if (!isTooLong) await writer.write(found.bytes, found.place);
      if (!found.ends) continue;
      if (isTooLong) {
        writer.dropDocument();
        refuse({ path, reason: `it has a document of more than ${domain.chunkBytes.toLocaleString('en')} bytes` });
      } else if (await writer.endDocument()) {
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
    refuse(error.refusal);
    return { facts: null, duplicates: 0 };
  }
  // If nothing of a file was kept, because it is a duplicate, too long or empty, its digest tells later that it has not changed.
  return { facts: { path, size_bytes: size, sha256: hash.digest('hex'), documents, bytes }, duplicates };
}
