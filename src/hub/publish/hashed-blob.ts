/**
 * @module A Blob of a file's bytes as they were hashed. The file is read again when it is sent, and each block is verified first, so that bytes
 * that changed meanwhile, or that a replaced link leads to, are never sent.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { ByteifyError } from '../../errors.js';
import { systemFailure } from '../../system-errors.js';

/** With blocks of 1 MiB, the digests of a 1 GiB file take 32 KiB. */
const BLOCK_BYTES = 2 ** 20;
/** The chunk size of Node's file streams; smaller chunks than a block give finer progress. */
const SENT_BYTES = 2 ** 16;

/** Fails if the file was replaced by a link, and does not wait for a pipe. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface HashedFile {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** git's sha1 of the file as a blob. */
  readonly gitSha1: string;
  readonly content: Blob;
}

interface HashedBlocks {
  readonly path: string;
  readonly sizeBytes: number;
  /** sha256 of each block of `BLOCK_BYTES`. */
  readonly digests: readonly Buffer[];
}

function changed(path: string): ByteifyError {
  return new ByteifyError(`${path} changed while it was being published.`, {
    hint: 'The new bytes were not sent. Run the same command again once nothing writes to the folder.',
  });
}

async function openPlainFile(path: string): Promise<FileHandle> {
  return open(path, OPEN_FLAGS).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ELOOP' || cause.code === 'ENOENT') throw changed(path);
    throw systemFailure(cause, path) ?? cause;
  });
}

/** Reads one block of the file. @throws ByteifyError if the file is shorter. */
async function readBlock({ path, sizeBytes }: Omit<HashedBlocks, 'digests'>, file: FileHandle, index: number) {
  const start = index * BLOCK_BYTES;
  const bytes = new Uint8Array(Math.min(BLOCK_BYTES, sizeBytes - start));
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
    if (bytesRead === 0) throw changed(path);
    done += bytesRead;
  }
  return bytes;
}

const sha256Of = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Implements the parts of Blob that a request uses; the bytes are verified as they are read. */
class HashedBlob extends Blob {
  readonly #blocks: HashedBlocks;
  readonly #start: number;
  readonly #end: number;
  override readonly size: number;

  constructor(blocks: HashedBlocks, start: number, end: number) {
    super([]);
    this.#blocks = blocks;
    this.#start = start;
    this.#end = end;
    this.size = end - start;
  }

  override slice(start = 0, end = this.size): Blob {
    const clamp = (at: number) => Math.min(Math.max(0, at < 0 ? this.size + at : at), this.size);
    const from = this.#start + clamp(start);
    return new HashedBlob(this.#blocks, from, Math.max(from, this.#start + clamp(end)));
  }

  async *#read(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (this.size === 0) return;
    const { path, digests } = this.#blocks;
    const file = await openPlainFile(path);
    try {
      for (let index = Math.floor(this.#start / BLOCK_BYTES); index * BLOCK_BYTES < this.#end; index++) {
        const bytes = await readBlock(this.#blocks, file, index);
        if (!sha256Of(bytes).equals(digests[index]!)) throw changed(path);
        const [from, to] = [this.#start, this.#end].map((at) => at - index * BLOCK_BYTES) as [number, number];
        const wanted = bytes.subarray(Math.max(0, from), to);
        for (let at = 0; at < wanted.length; at += SENT_BYTES) yield wanted.subarray(at, at + SENT_BYTES);
      }
    } finally {
      await file.close();
    }
  }

  override stream(): ReturnType<Blob['stream']> {
    const bytes = this.#read();
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const { done, value } = await bytes.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await bytes.return(undefined)),
    });
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const whole = new Uint8Array(this.size);
    let at = 0;
    for await (const bytes of this.#read()) {
      whole.set(bytes, at);
      at += bytes.length;
    }
    return whole.buffer;
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer());
  }
}

/**
 * Reads a file once and hashes it.
 * @param path of the file, without links.
 * @param options.onBytes called with the number of bytes of each block.
 * @throws ByteifyError if the path is or contains a link, is not a regular file, changes meanwhile or cannot be read; the signal's reason.
 */
export async function hashFile(
  path: string,
  options: { onBytes?: (count: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<HashedFile> {
  const file = await openPlainFile(path);
  try {
    const found = await file.stat();
    // A folder in the path may have been replaced by a link since the path was resolved.
    if ((await realpath(path)) !== path) throw changed(path);
    if (!found.isFile()) throw new ByteifyError(`${path} is not a regular file.`, { hint: 'Move it away.' });
    const sizeBytes = found.size;
    const [sha256, sha1] = [createHash('sha256'), createHash('sha1').update(`blob ${sizeBytes}\0`)];
    const digests: Buffer[] = [];
    for (let index = 0; index * BLOCK_BYTES < sizeBytes; index++) {
      options.signal?.throwIfAborted();
      const bytes = await readBlock({ path, sizeBytes }, file, index);
      for (const hash of [sha256, sha1]) hash.update(bytes);
      digests.push(sha256Of(bytes));
      options.onBytes?.(bytes.length);
    }
    return {
      sizeBytes,
      sha256: sha256.digest('hex'),
      gitSha1: sha1.digest('hex'),
      content: new HashedBlob({ path, sizeBytes, digests }, 0, sizeBytes),
    };
  } finally {
    await file.close();
  }
}
