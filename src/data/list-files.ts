/** @module The files that --data names and how they lie on disk: enough to notice a change without reading them. */
import { stat } from 'node:fs/promises';
import { findFiles } from './find-files.js';

export interface FileState {
  readonly path: string;
  readonly size_bytes: number;
  /** Null for what cannot be looked at, a link to nothing. */
  readonly modified: string | null;
}

/** @throws UsageError for a path that does not exist; the signal's reason. */
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
