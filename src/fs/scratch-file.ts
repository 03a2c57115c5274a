/** @module A file for what a run reads again and again and does not want in memory. It is removed when it is closed. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { namingPath } from '../system-errors.js';

export interface ScratchFile {
  /** Bytes written. */
  readonly length: number;
  /** Writes at the end. @returns where it begins. */
  append(...parts: readonly ArrayBufferView[]): Promise<number>;
  /** Fills the arrays with what was written from `offset` on, one after another. */
  read(offset: number, ...into: readonly ArrayBufferView[]): Promise<void>;
  close(): Promise<void>;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

/** Made anew at the first write. */
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
        for (let done = 0; done < part.length; ) {
          const { bytesRead } = await file!.read(part, done, part.length - done, at);
          if (bytesRead === 0) throw new RangeError(`${path} ends before byte ${offset + part.length}`);
          done += bytesRead;
          at += bytesRead;
        }
      }
    },
    async close() {
      await file?.close();
      await rm(path, { force: true });
    },
  };
}
