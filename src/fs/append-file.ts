/** @module A buffered file that is appended to and can be truncated to any earlier length. */
import { open } from 'node:fs/promises';

export interface AppendFile {
  /** Bytes appended so far. */
  readonly length: number;
  append(bytes: Uint8Array): Promise<void>;
  /** Discards everything after `length` bytes. */
  truncate(length: number): void;
  close(): Promise<void>;
}

/** Short documents are a few hundred bytes, so one system call per document would cost more than the writing itself. */
const BUFFER_BYTES = 2 ** 20;

export async function createAppendFile(path: string): Promise<AppendFile> {
  const file = await open(path, 'w');
  const buffer = new Uint8Array(BUFFER_BYTES);
  let written = 0;
  let buffered = 0;
  const writeOut = async (bytes: Uint8Array) => {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, written + done);
      done += bytesWritten;
    }
    written += bytes.length;
  };
  const flush = async () => {
    await writeOut(buffer.subarray(0, buffered));
    buffered = 0;
  };
  return {
    get length() {
      return written + buffered;
    },
    async append(bytes) {
      if (buffered + bytes.length > BUFFER_BYTES) await flush();
      if (bytes.length > BUFFER_BYTES) return writeOut(bytes);
      buffer.set(bytes, buffered);
      buffered += bytes.length;
    },
    truncate(length) {
      buffered = Math.max(0, length - written);
      written = Math.min(written, length);
    },
    async close() {
      try {
        await flush();
        await file.truncate(written); // bytes discarded by truncate may lie beyond this
      } finally {
        await file.close();
      }
    },
  };
}
