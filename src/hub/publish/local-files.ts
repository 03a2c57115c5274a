/** @module The files that are to be published, with the digests that the hub knows them by. */
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { ByteifyError, UsageError } from '../../errors.js';
import { walk } from '../../fs/index.js';
import { danglingLink } from '../../system-errors.js';
import { type HashedFile, hashFile } from './hashed-blob.js';

export interface LocalFile extends HashedFile {
  /** In the repository, with forward slashes. */
  readonly path: string;
}

/** Which files of a folder may be sent. */
export interface PublishedFiles {
  /** Whether a path, with forward slashes, is a part of the export. */
  readonly isKnown: (path: string) => boolean;
  /** Further files, and folders with all that they hold, as the user names them: relative to the folder. */
  readonly include: readonly string[];
}

const SHOWN_STRANGERS = 5;

const isOutside = (way: string) => way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);

/** A path of `--include` as the walk spells it. @throws UsageError for one that leads out of the folder. */
function includedPath(folder: string, given: string): string {
  const path = normalize(given).replace(/[/\\]$/, '');
  if (given === '' || path === '.' || isOutside(path)) {
    throw new UsageError(`--include ${given === '' ? '""' : given} is not a file in ${folder}.`, {
      hint: 'Name a file or a folder in the exported folder by its path from there.',
    });
  }
  return path;
}

/**
 * Where a link leads, when that is a file of the folder.
 * @throws ByteifyError when it leads outside, to a folder, or nowhere
 */
async function checkLink(folder: string, root: string, path: string): Promise<void> {
  const hint = 'Put the file itself in the place of the link, or remove the link.';
  const where = join(folder, path);
  const dangling = danglingLink(where);
  if (dangling !== null)
    throw new ByteifyError(`${where} is a link to ${dangling.target}, which does not exist.`, { hint });
  const real = await realpath(where);
  if (isOutside(relative(root, real))) {
    throw new ByteifyError(`${where} is a link that leads out of the folder, to ${real}.`, { hint });
  }
  if ((await stat(real)).isDirectory()) throw new ByteifyError(`${where} is a link to a folder.`, { hint });
}

function refuseStrangers(folder: string, strangers: readonly string[]): void {
  const [first, ...others] = strangers;
  if (first === undefined) return;
  const more = strangers.length - SHOWN_STRANGERS;
  const names = strangers.slice(0, SHOWN_STRANGERS).join(', ') + (more > 0 ? ` and ${more} more` : '');
  throw new ByteifyError(
    `${folder} holds ${others.length === 0 ? 'a file' : 'files'} that the export is not made of: ${names}.`,
    { hint: `Move what is not to be published away, or send it too with \`--include ${first}\`.` },
  );
}

/**
 * The files of a folder that are published, as paths relative to it with forward slashes. Hidden files and folders are passed over unless
 * they are included: they are marks of tools and what editors leave. No link that leads out of the folder is followed.
 * @throws ByteifyError naming a link that leads elsewhere, and every file that is neither known nor included; UsageError for an include that
 * is not there; the signal's reason
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
  const [paths, strangers]: [string[], string[]] = [[], []];
  for await (const { path, kind } of walk(folder, { enter, signal })) {
    if (kind === 'folder' || isHidden(path)) continue;
    if (kind === 'link') await checkLink(folder, root, path);
    const name = path.split(sep).join('/');
    const isWanted = isKnown(name) || isIncluded(path);
    (isWanted && kind !== 'other' ? paths : strangers).push(name);
  }
  for (const [i, name] of wanted.entries()) {
    if (paths.some((path) => covers(name, path.split('/').join(sep)))) continue;
    throw new UsageError(`--include ${include[i]}: ${folder} holds no such file.`, {
      hint: 'Name a file or a folder in the exported folder by its path from there.',
    });
  }
  refuseStrangers(folder, strangers);
  return paths.sort();
}

/**
 * Reads every file once.
 * @param onProgress is told the bytes of all files
 * @throws ByteifyError when a file cannot be read or lies outside the folder by now; the signal's reason
 */
export async function hashPaths(
  folder: string,
  paths: readonly string[],
  options: { onProgress?: (doneBytes: number, totalBytes: number, path: string) => void; signal?: AbortSignal } = {},
): Promise<LocalFile[]> {
  const { onProgress, signal } = options;
  const root = await realpath(folder);
  const places = await Promise.all(paths.map((path) => realpath(join(folder, path))));
  const outside = places.findIndex((place) => isOutside(relative(root, place)));
  if (outside >= 0) throw new ByteifyError(`${join(folder, paths[outside]!)} lies outside ${folder} by now.`);
  const sizes = await Promise.all(places.map(async (place) => (await stat(place)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let doneBytes = 0;
  const files: LocalFile[] = [];
  for (const [i, path] of paths.entries()) {
    const onBytes = (count: number) => {
      doneBytes += count;
      onProgress?.(doneBytes, totalBytes, path);
    };
    files.push({ path, ...(await hashFile(places[i]!, { onBytes, signal })) });
  }
  return files;
}
