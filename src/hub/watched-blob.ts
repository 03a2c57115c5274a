/** @module A request's body that tells how much of it was read. Every attempt reads it from its beginning. */

/** What of a Blob a request uses, and slices of it. Whether it lies in memory or on disk is the inner one's matter. */
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

/** @param onRead is told the bytes read so far: 0 when reading begins, which it does anew for every attempt. */
export function watchedBlob(blob: Blob, onRead: (bytes: number) => void): Blob {
  return new WatchedBlob(blob, onRead);
}
