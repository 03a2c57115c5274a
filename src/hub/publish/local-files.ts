/** @module The local files to publish, with the digests by which the hub identifies files. */
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { ByteifyError, UsageError } from '../../errors.js';
import { walk } from '../../fs/index.js';
import { danglingLink } from '../../system-errors.js';
import { type HashedFile, hashFile } from './hashed-blob.js';

export interface LocalFile extends HashedFile {
  /** The path in the repository, with forward slashes. */
  readonly path: string;
}

/** Which files of a folder may be sent. */
export interface PublishedFiles {
  /** Whether a path, with forward slashes, belongs to the export. */
  readonly isKnown: (path: string) => boolean;
  /** Additional files, and folders with all their contents: paths relative to the folder, as the user wrote them. */
  readonly include: readonly string[];
}

const SHOWN_UNKNOWN = 5;

const isOutside = (path: string) => path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);

/** Normalises a path of `--include`. @throws UsageError if it leads out of the folder. */
function includedPath(folder: string, given: string): string {
  const path = normalize(given).replace(/[/\\]$/, '');
  if (given === '' || path === '.' || isOutside(path)) {
    throw new UsageError(`--include ${given === '' ? '""' : given} is not a file in ${folder}.`, {
      hint: 'Pass the path of a file or folder relative to the exported folder.',
    });
  }
  return path;
}

/**
 * Checks that a link leads to a file in the folder.
 * @throws ByteifyError if it leads out of the folder, to a folder, or to nothing.
 */
async function checkLink(folder: string, root: string, path: string): Promise<void> {
  const hint = 'Replace the link by the file itself, or remove it.';
  const where = join(folder, path);
  const dangling = danglingLink(where);
  if (dangling !== null)
    throw new ByteifyError(`${where} is a link to ${dangling.target}, which does not exist.`, { hint });
  const real = await realpath(where);
  if (isOutside(relative(root, real))) {
    throw new ByteifyError(`${where} is a link to ${real}, outside the folder.`, { hint });
  }
  if ((await stat(real)).isDirectory()) throw new ByteifyError(`${where} is a link to a folder.`, { hint });
}

function refuseUnknown(folder: string, unknown: readonly string[]): void {
  const [first, ...others] = unknown;
  if (first === undefined) return;
  const more = unknown.length - SHOWN_UNKNOWN;
  const names = unknown.slice(0, SHOWN_UNKNOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
  throw new ByteifyError(
    `${folder} contains ${others.length === 0 ? 'a file that does' : 'files that do'} not belong to the export: ${names}.`,
    { hint: `Move it out of the folder, or publish it as well with \`--include ${first}\`.` },
  );
}

/**
 * Lists the files to publish as paths relative to the folder, with forward slashes, sorted. Hidden files and folders are skipped unless they
 * are included, since tools and editors leave them behind. Links that lead out of the folder are never followed.
 * @throws ByteifyError naming a link that leads elsewhere, or files that are neither known nor included; UsageError if an included path does
 * not exist; the signal's reason.
 */
export async function publishedPaths(
  folder: string,
  { isKnown, include }: PublishedFiles,
  signal?: AbortSignal,
): Promise<string[]> {
  const wanted = include.map((given) => includedPath(folder, given));
  const covers = (above: string, path: string) => path === above || path.startsWith(above + sep);
  const isIncluded = (path: string) => wanted.some((name) => covers(name, path));
  const isHidden = (path: string) => path.split(sep).some((part) => part.startsWith('.')) && !isIncluded(path);
  const enter = (path: string) => !isHidden(path) || wanted.some((name) => covers(path, name));
  const root = await realpath(folder);
  const [paths, unknown]: [string[], string[]] = [[], []];
  for await (const { path, kind } of walk(folder, { enter, signal })) {
    if (kind === 'folder' || isHidden(path)) continue;
    if (kind === 'link') await checkLink(folder, root, path);
    const name = path.split(sep).join('/');
    const isWanted = isKnown(name) || isIncluded(path);
    (isWanted && kind !== 'other' ? paths : unknown).push(name);
  }
  for (const [i, name] of wanted.entries()) {
    if (paths.some((path) => covers(name, path.split('/').join(sep)))) continue;
    throw new UsageError(`--include ${include[i]}: ${folder} contains no such file.`, {
      hint: 'Pass the path of a file or folder relative to the exported folder.',
    });
  }
  refuseUnknown(folder, unknown);
  return paths.sort();
}

/**
 * Hashes the files, reading each once.
 * @param options.onProgress called with the hashed and the total bytes of all files, and the current path.
 * @throws ByteifyError if a file cannot be read or no longer lies in the folder; the signal's reason.
 */
export async function hashPaths(
  folder: string,
  paths: readonly string[],
  options: { onProgress?: (doneBytes: number, totalBytes: number, path: string) => void; signal?: AbortSignal } = {},
): Promise<LocalFile[]> {
  const { onProgress, signal } = options;
  const root = await realpath(folder);
  const realPaths = await Promise.all(paths.map((path) => realpath(join(folder, path))));
  const outside = realPaths.findIndex((realPath) => isOutside(relative(root, realPath)));
  if (outside >= 0) throw new ByteifyError(`${join(folder, paths[outside]!)} now leads out of ${folder}.`);
  const sizes = await Promise.all(realPaths.map(async (realPath) => (await stat(realPath)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let doneBytes = 0;
  const files: LocalFile[] = [];
  for (const [i, path] of paths.entries()) {
    const onBytes = (count: number) => {
      doneBytes += count;
      onProgress?.(doneBytes, totalBytes, path);
    };
    files.push({ path, ...(await hashFile(realPaths[i]!, { onBytes, signal })) });
  }
  return files;
}
