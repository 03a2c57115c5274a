/** @module How far an upload is, in bytes. */
import type { CommitProgressEvent } from '@huggingface/hub';
import type { LocalFile } from './local-files.js';

export interface UploadProgress {
  /** Handed to the network or found in the storage, of all files that are uploaded. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface UploadMeter {
  /** How much of a request's body was read for sending; an attempt that is repeated counts anew. */
  onSent(url: string, bytes: number): void;
  onEvent(event: CommitProgressEvent): void;
  /** Of the files, less those that the storage had from an earlier try. Retries are not counted. */
  sentBytes(): number;
}

/**
 * Large files are counted as their bodies are read, so what waits in the system's buffers counts as sent; small ones, which travel inside
 * the commit, count when it is done.
 */
export function uploadMeter(
  files: readonly LocalFile[],
  onProgress: (progress: UploadProgress) => void = () => undefined,
): UploadMeter {
  const sizes = new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]));
  const total = (values: Iterable<number>) => [...values].reduce((sum, bytes) => sum + bytes, 0);
  const totalBytes = total(sizes.values());
  const sent = new Map<string, number>();
  const begun = new Set<string>();
  let storedBytes = 0;
  const tell = () => onProgress({ doneBytes: Math.min(totalBytes, storedBytes + total(sent.values())), totalBytes });
  return {
    onSent(url, bytes) {
      sent.set(url, bytes);
      tell();
    },
    // The client tells 0 and then 1 of a file that it sends, and 1 alone of one that the storage has.
    onEvent(event) {
      if (event.event !== 'fileProgress' || event.state !== 'uploading' || begun.has(event.path)) return;
      begun.add(event.path);
      if (event.progress < 1) return;
      storedBytes += sizes.get(event.path) ?? 0;
      tell();
    },
    sentBytes: () => totalBytes - storedBytes,
  };
}
