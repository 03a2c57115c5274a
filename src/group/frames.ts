/** @module Messages on a TCP connection: a header in JSON and a body of bytes, each preceded by its length. */
import type { Socket } from 'node:net';

export interface Frame<Header> {
  readonly header: Header;
  readonly body: Uint8Array;
}

/** Two lengths, uint32 little-endian: of the header and of the body. */
const LENGTHS_BYTES = 8;

const NOTHING = new Uint8Array();

export function writeFrame<Header>(socket: Socket, header: Header, body: Uint8Array = NOTHING): void {
  const text = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(LENGTHS_BYTES);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  socket.cork();
  for (const part of [lengths, text, body]) if (part.length > 0) socket.write(part);
  socket.uncork();
}

/** Calls `onFrame` for each whole frame that arrives. @param onFault receives an error if what arrives is no frame. */
export function readFrames<Header>(
  socket: Socket,
  onFrame: (frame: Frame<Header>) => void,
  onFault: (error: Error) => void,
): void {
  let parts: Buffer[] = [];
  let waiting = 0;
  const wanted = (): number => {
    if (waiting < LENGTHS_BYTES) return LENGTHS_BYTES;
    if (parts[0]!.length < LENGTHS_BYTES) parts = [Buffer.concat(parts)];
    return LENGTHS_BYTES + parts[0]!.readUInt32LE(0) + parts[0]!.readUInt32LE(4);
  };
  socket.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    waiting += chunk.length;
    try {
      for (let size = wanted(); waiting >= size && waiting >= LENGTHS_BYTES; size = wanted()) {
        const all = Buffer.concat(parts);
        const end = LENGTHS_BYTES + all.readUInt32LE(0);
        const header = JSON.parse(all.toString('utf8', LENGTHS_BYTES, end)) as Header;
        const body = Uint8Array.from(all.subarray(end, size));
        parts = [all.subarray(size)];
        waiting -= size;
        onFrame({ header, body });
      }
    } catch (error) {
      onFault(error as Error);
    }
  });
}
