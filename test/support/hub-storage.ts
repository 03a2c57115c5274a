/** The large-file storage of the loopback hub: objects and parts on disk, accepted only if complete and with the announced digest. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { appendFile, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type HubFile, hubFile } from './hub-repository.js';
import { Answer } from './hub-server.js';

export interface Received {
  readonly path: string;
  /** Bytes of the body, complete or not. */
  bytes: number;
}

export interface StorageOptions {
  readonly folder: string;
  /** The byte at which this body ends early, or null. */
  readonly cutAfter: (path: string) => number | null;
  /** Whether to corrupt a byte of what is stored under this path. */
  readonly spoils: (path: string) => boolean;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function flipFirstByte(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 0);
  byte.writeUInt8(byte.readUInt8(0) ^ 1, 0);
  await file.write(byte, 0, 1, 0);
  await file.close();
}

export function hubStorage({ folder, cutAfter, spoils }: StorageOptions) {
  const received: Received[] = [];
  const multiparts = new Map<string, { oid: string; parts: Map<number, { path: string; etag: string }> }>();
  const objectPath = (oid: string) => join(folder, 'objects', oid);

  /** Stores a body; one that ends early leaves nothing behind. */
  async function receive(request: IncomingMessage, pathname: string): Promise<string> {
    await mkdir(join(folder, 'objects'), { recursive: true });
    const path = join(folder, randomBytes(8).toString('hex'));
    const cut = cutAfter(pathname);
    const entry = { path: pathname, bytes: 0 };
    received.push(entry);
    const counted = async function* () {
      for await (const chunk of request) {
        entry.bytes += (chunk as Buffer).length;
        if (cut !== null && entry.bytes >= cut) request.socket.destroy();
        yield chunk;
      }
    };
    try {
      await pipeline(counted, createWriteStream(path));
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  async function store(path: string, oid: string, pathname: string): Promise<void> {
    if ((await sha256Of(path)) !== oid) {
      await rm(path);
      throw new Answer(400, { error: 'the content does not have the digest that it was announced with' });
    }
    if (spoils(pathname)) await flipFirstByte(path);
    await rename(path, objectPath(oid));
  }

  return {
    received: received as readonly Received[],
    has: (oid: string) => existsSync(objectPath(oid)),

    async putObject(request: IncomingMessage, pathname: string, oid: string): Promise<Answer> {
      await store(await receive(request, pathname), oid, pathname);
      return new Answer(200, {}, { etag: `"${oid.slice(0, 32)}"` });
    },

    /** @returns the name of an upload in parts. */
    begin(oid: string): string {
      const upload = randomBytes(8).toString('hex');
      multiparts.set(upload, { oid, parts: new Map() });
      return upload;
    },

    async putPart(request: IncomingMessage, pathname: string, upload: string, part: number): Promise<Answer> {
      const path = await receive(request, pathname);
      const etag = `"${(await sha256Of(path)).slice(0, 32)}"`;
      const found = multiparts.get(upload);
      if (found === undefined) throw new Answer(404, { error: 'no such upload' });
      found.parts.set(part, { path, etag });
      return new Answer(200, {}, { etag });
    },

    async complete(
      { oid, parts }: { oid: string; parts: readonly { partNumber: number; etag: string }[] },
      pathname: string,
      upload: string,
    ): Promise<Answer> {
      const found = multiparts.get(upload);
      if (found?.oid !== oid) throw new Answer(404, { error: 'no such upload' });
      const path = join(folder, upload);
      for (const { partNumber, etag } of parts) {
        const part = found.parts.get(partNumber);
        if (part?.etag !== etag) throw new Answer(400, { error: `part ${partNumber} is not there` });
        await appendFile(path, await readFile(part.path));
        await rm(part.path);
      }
      await store(path, oid, pathname);
      multiparts.delete(upload);
      return new Answer(200, {});
    },

    /** An object as a file of a repository, with the digest of what is stored, so that corruption is detected. */
    async file(path: string, oid: string, size: number): Promise<HubFile> {
      const object = objectPath(oid);
      const found = await stat(object).catch(() => null);
      if (found?.size !== size) throw new Answer(400, { error: `the object ${oid} of ${path} was never uploaded` });
      const read: HubFile['read'] = (start, end) => createReadStream(object, { start, end: end - 1 });
      return hubFile({ path, size, read, large: true });
    },
  };
}
