/**
 * @module A file's bytes as they were when they were hashed. The file is read again when it is sent, and each piece is compared first: what
 * was put in its place meanwhile, or behind a link on the way to it, is never sent.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { ByteifyError } from '../../errors.js';
import { systemFailure } from '../../system-errors.js';

/** Digests of 1 MiB take 32 KiB for a file of 1 GiB. */
const PIECE_BYTES = 2 ** 20;
/** As a file's own stream gives them: progress is told by what was taken. */
const SENT_BYTES = 2 ** 16;

/** A link in the file's place is an error, and a pipe is not waited for. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface HashedFile {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** git's sha1 of the file as a blob. */
  readonly gitSha1: string;
  readonly content: Blob;
}

interface Pieces {
  readonly path: string;
  readonly sizeBytes: number;
  /** sha256 of each piece of `PIECE_BYTES`. */
  readonly digests: readonly Buffer[];
}

function changed(path: string): ByteifyError {
  return new ByteifyError(`${path} changed while it was published.`, {
    hint: 'The new bytes were not sent. Run the same command again when nothing writes to the folder.',
  });
}

async function openPlainFile(path: string): Promise<FileHandle> {
  return open(path, OPEN_FLAGS).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ELOOP' || cause.code === 'ENOENT') throw changed(path);
    throw systemFailure(cause, path) ?? cause;
  });
}

/** A whole piece of the file. @throws ByteifyError when the file ends before. */
async function readPiece({ path, sizeBytes }: Omit<Pieces, 'digests'>, file: FileHandle, index: number) {
  const start = index * PIECE_BYTES;
  const bytes = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes - start));
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
    if (bytesRead === 0) throw changed(path);
    done += bytesRead;
  }
  return bytes;
}

const sha256Of = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** What a request uses of a Blob, of bytes that are verified as they are read. */
class HashedBlob extends Blob {
  readonly #pieces: Pieces;
  readonly #start: number;
  readonly #end: number;
  override readonly size: number;

  constructor(pieces: Pieces, start: number, end: number) {
    super([]);
    this.#pieces = pieces;
    this.#start = start;
    this.#end = end;
    this.size = end - start;
  }

  override slice(start = 0, end = this.size): Blob {
    const clamp = (at: number) => Math.min(Math.max(0, at < 0 ? this.size + at : at), this.size);
    const from = this.#start + clamp(start);
    return new HashedBlob(this.#pieces, from, Math.max(from, this.#start + clamp(end)));
  }

  async *#read(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (this.size === 0) return;
    const { path, digests } = this.#pieces;
    const file = await openPlainFile(path);
    try {
      for (let index = Math.floor(this.#start / PIECE_BYTES); index * PIECE_BYTES < this.#end; index++) {
        const bytes = await readPiece(this.#pieces, file, index);
        if (!sha256Of(bytes).equals(digests[index]!)) throw changed(path);
        const [from, to] = [this.#start, this.#end].map((at) => at - index * PIECE_BYTES) as [number, number];
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
 * @param path leads through no link
 * @param options.onBytes is told the bytes of each piece
 * @throws ByteifyError when it is a link or no regular file, changes meanwhile or cannot be read; the signal's reason
 */
export async function hashFile(
  path: string,
  options: { onBytes?: (count: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<HashedFile> {
  const file = await openPlainFile(path);
  try {
    const found = await file.stat();
    // A folder on the way may have become a link since the path was looked up.
    if ((await realpath(path)) !== path) throw changed(path);
    if (!found.isFile()) throw new ByteifyError(`${path} is not a regular file.`, { hint: 'Move it away.' });
    const sizeBytes = found.size;
    const [sha256, sha1] = [createHash('sha256'), createHash('sha1').update(`blob ${sizeBytes}\0`)];
    const digests: Buffer[] = [];
    for (let index = 0; index * PIECE_BYTES < sizeBytes; index++) {
      options.signal?.throwIfAborted();
      const bytes = await readPiece({ path, sizeBytes }, file, index);
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
