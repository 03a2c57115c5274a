/** @module Measures the progress of an upload in bytes. */
import type { CommitProgressEvent } from '@huggingface/hub';
import type { LocalFile } from './local-files.js';

export interface UploadProgress {
  /** Bytes of the uploaded files that were handed to the network or found in the storage. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface UploadMeter {
  /** Records how much of a request's body was read for sending. A repeated attempt starts again at 0. */
  onSent(url: string, bytes: number): void;
  onEvent(event: CommitProgressEvent): void;
  /** Bytes of the files, without those that the storage had from an earlier attempt. Retries are not counted. */
  sentBytes(): number;
}

/**
 * Creates a meter. Large files are counted as their bodies are read, so bytes in the system's buffers count as sent. Small files are part of
 * the commit request and count when it is done.
 */
export function uploadMeter(
  files: readonly LocalFile[],
  onProgress: (progress: UploadProgress) => void = () => undefined,
): UploadMeter {
  const sizes = new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]));
  const total = (values: Iterable<number>) => [...values].reduce((sum, bytes) => sum + bytes, 0);
  const totalBytes = total(sizes.values());
  const sent = new Map<string, number>();
  const started = new Set<string>();
  let storedBytes = 0;
  const report = () => onProgress({ doneBytes: Math.min(totalBytes, storedBytes + total(sent.values())), totalBytes });
  return {
    onSent(url, bytes) {
      sent.set(url, bytes);
      report();
    },
    // The client reports 0 and then 1 for a file that it sends, but only 1 for a file that the storage has.
    onEvent(event) {
      if (event.event !== 'fileProgress' || event.state !== 'uploading' || started.has(event.path)) return;
      started.add(event.path);
      if (event.progress < 1) return;
      storedBytes += sizes.get(event.path) ?? 0;
      report();
    },
    sentBytes: () => totalBytes - storedBytes,
  };
}
