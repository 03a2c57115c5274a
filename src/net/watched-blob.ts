/** @module A request body that reports how much of it was read. Every attempt reads it from the beginning. */

/** Wraps a Blob in memory or on disk, and implements the parts of Blob that a request uses. Slices are not watched. */
class WatchedBlob extends Blob {
  readonly #blob: Blob;
  readonly #onRead: (bytes: number) => void;
  override readonly size: number;

  constructor(blob: Blob, onRead: (bytes: number) => void) {
    super([], { type: blob.type });
    this.#blob = blob;
    this.#onRead = onRead;
    this.size = blob.size;
  }

  override stream(): ReturnType<Blob['stream']> {
    const onRead = this.#onRead;
    let bytes = 0;
    onRead(bytes);
    const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        bytes += chunk.length;
        onRead(bytes);
        controller.enqueue(chunk);
      },
    });
    return this.#blob.stream().pipeThrough(counter) as ReturnType<Blob['stream']>;
  }

  override slice(start?: number, end?: number): Blob {
    return this.#blob.slice(start, end);
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#blob.arrayBuffer();
  }

  override text(): Promise<string> {
    return this.#blob.text();
  }
}

/** @param onRead called with the bytes read so far: first with 0 whenever an attempt starts to read. */
export function watchedBlob(blob: Blob, onRead: (bytes: number) => void): Blob {
  return new WatchedBlob(blob, onRead);
}
