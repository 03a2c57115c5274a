/** @module A temporary file for data that a run reads repeatedly and does not keep in memory. Closing it removes it. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { namingPath } from '../system-errors.js';
import { readFully } from './read-fully.js';

export interface ScratchFile {
  /** Bytes written. */
  readonly length: number;
  /** Appends the arrays. @returns the byte offset at which they begin. */
  append(...parts: readonly ArrayBufferView[]): Promise<number>;
  /** Fills the arrays one after another with the bytes written from `offset` on. @throws ByteifyError when the file ends earlier. */
  read(offset: number, ...into: readonly ArrayBufferView[]): Promise<void>;
  close(): Promise<void>;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

/** Opens a scratch file. The file itself is created, or overwritten, at the first write. */
export function openScratchFile(path: string): ScratchFile {
  let file: FileHandle | null = null;
  let length = 0;
  return {
    get length() {
      return length;
    },
    async append(...parts) {
      file ??= await open(path, 'w+');
      const start = length;
      for (const part of parts.map(bytesOf)) {
        for (let done = 0; done < part.length; ) {
          const { bytesWritten } = await file
            .write(part, done, part.length - done, length)
            .catch((error: unknown) => Promise.reject(namingPath(error, { path })));
          done += bytesWritten;
          length += bytesWritten;
        }
      }
      return start;
    },
    async read(offset, ...into) {
      let at = offset;
      for (const part of into.map(bytesOf)) {
        await readFully(file!, part, at, path);
        at += part.length;
      }
    },
    async close() {
      await file?.close();
      await rm(path, { force: true });
    },
  };
}
