/** @module Lists the files that --data names with their size and time: enough to notice a change without reading them. */
import { stat } from 'node:fs/promises';
import { findFiles } from './find-files.js';

export interface FileState {
  readonly path: string;
  readonly size_bytes: number;
  /** ISO 8601 time; null if the file cannot be examined, such as a dangling link. */
  readonly modified: string | null;
}

/**
 * Lists every file that the paths name or contain, with its size in bytes and its modification time.
 * @throws UsageError if a path does not exist; the signal's reason.
 */
export async function listFiles(paths: readonly string[], signal?: AbortSignal): Promise<FileState[]> {
  const { files } = await findFiles(paths, signal);
  const states: FileState[] = [];
  for (const path of files) {
    signal?.throwIfAborted();
    const found = await stat(path).catch(() => null);
    states.push({ path, size_bytes: found?.size ?? 0, modified: found?.mtime.toISOString() ?? null });
  }
  return states;
}
