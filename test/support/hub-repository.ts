import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';

/** A folder on disk, or contents by path. */
export type HubFiles = string | Readonly<Record<string, string | Uint8Array>>;

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** git's sha1 of the content, or of the pointer of a file in large-file storage. */
  readonly oid: string;
  readonly sha256: string;
  readonly lfs: { readonly oid: string; readonly size: number; readonly pointerSize: number } | null;
  /** The bytes from `start` to `end`, exclusive. */
  read(start: number, end: number): Readable;
}

export interface HubRepository {
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubFile>;
}

/** The files that the hub's .gitattributes puts into large-file storage. */
const LARGE = /\.(safetensors|gguf|bin|pth|model|parquet|gz)$/;

/** `large` if a file is in large-file storage whatever its name. */
type Source = { path: string; size: number; read: HubFile['read']; large?: boolean };

async function sourcesOf(files: HubFiles): Promise<Source[]> {
  if (typeof files !== 'string') {
    return Object.entries(files).map(([path, contents]) => {
      const bytes = Buffer.from(contents as Uint8Array);
      return { path, size: bytes.length, read: (start, end) => Readable.from([bytes.subarray(start, end)]) };
    });
  }
  const entries = await readdir(files, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (path) => ({
      path: relative(files, path).replaceAll('\\', '/'),
      size: (await stat(path)).size,
      read: (start: number, end: number) =>
        end > start ? createReadStream(path, { start, end: end - 1, highWaterMark: 2 ** 20 }) : Readable.from([]),
    })),
  );
}

/** Reads a file once, for its digests. */
export async function hubFile({ large, ...source }: Source): Promise<HubFile> {
  const [sha256, sha1] = [createHash('sha256'), createHash('sha1').update(`blob ${source.size}\0`)];
  for await (const chunk of source.read(0, source.size)) {
    sha256.update(chunk as Buffer);
    sha1.update(chunk as Buffer);
  }
  const digest = sha256.digest('hex');
  if (!(large ?? LARGE.test(source.path))) return { ...source, oid: sha1.digest('hex'), sha256: digest, lfs: null };
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${digest}\nsize ${source.size}\n`;
  const oid = createHash('sha1').update(`blob ${pointer.length}\0${pointer}`).digest('hex');
  return { ...source, oid, sha256: digest, lfs: { oid: digest, size: source.size, pointerSize: pointer.length } };
}

/** Sizes and digests as in git and on the hub; the commit is derived from the contents. */
export async function hubRepository(files: HubFiles): Promise<HubRepository> {
  const all = await Promise.all((await sourcesOf(files)).map((source) => hubFile(source)));
  all.sort((a, b) => (a.path < b.path ? -1 : 1));
  const commit = createHash('sha1')
    .update(all.map(({ path, oid }) => `${path} ${oid}\n`).join(''))
    .digest('hex');
  return { commit, files: new Map(all.map((file) => [file.path, file])) };
}
