/** @module A file on disk as a Blob that holds none of it. */
import { createReadStream } from 'node:fs';
import { arrayBuffer, text } from 'node:stream/consumers';

/** Read when it is asked for, piece by piece: a reader that waits makes the disk wait. */
class DiskBlob extends Blob {
  readonly #path: string;
  readonly #start: number;
  override readonly size: number;

  constructor(path: string, start: number, end: number) {
    super([]);
    this.#path = path;
    this.#start = start;
    this.size = Math.max(0, end - start);
  }

  override slice(start = 0, end = this.size): Blob {
    const at = (offset: number) => Math.min(this.size, Math.max(0, offset < 0 ? this.size + offset : offset));
    return new DiskBlob(this.#path, this.#start + at(start), this.#start + at(end));
  }

  override stream(): ReturnType<Blob['stream']> {
    if (this.size === 0) return new Blob([]).stream();
    const [start, end] = [this.#start, this.#start + this.size - 1];
    return ReadableStream.from(createReadStream(this.#path, { start, end, highWaterMark: PIECE_BYTES }));
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return arrayBuffer(this.stream());
  }

  override text(): Promise<string> {
    return text(this.stream());
  }
}

const PIECE_BYTES = 256 * 1024;

/**
 * For files of any size. The hub client's own kind does not do: its stream runs ahead of its reader until all of a file is in memory. Node's
 * `openAsBlob` reads several times slower.
 */
export function diskBlob(path: string, sizeBytes: number): Blob {
  return new DiskBlob(path, 0, sizeBytes);
}
