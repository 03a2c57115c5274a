/** @module The --out of a verb that writes one whole folder: a new one, an empty one, or one that this verb wrote and nobody touched. */

import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { danglingLink } from '../system-errors.js';
import { MANIFEST_NAME } from './manifest.js';
import { STAGES } from './stages.js';

export type OutputKind = 'export' | 'remap';

/** Says which files a verb left and how; a copy, a file more, or one that was written since makes the folder the user's own. */
export const OUTPUT_MARK = '.byteify-output.json';

const markSchema = z.strictObject({
  kind: z.enum(['export', 'remap']),
  files: z.record(z.string(), z.strictObject({ size_bytes: z.number(), modified_ms: z.number() })),
});

type Mark = Readonly<z.infer<typeof markSchema>>;

const HINT = 'Choose a new or an empty folder for --out.';

/**
 * Sees to it that writing a folder destroys nothing: called before any work.
 * @param params.source what is read: a folder, or a file
 * @returns where `out` really lies, links followed
 * @throws UsageError when `out` is a file, holds something that `markOut` does not vouch for, is or holds the source, is or holds the folder
 * that the process works in, or belongs to a conversion
 */
export async function claimOut(out: string, params: { kind: OutputKind; source: string }): Promise<string> {
  const { kind, source } = params;
  const dangling = danglingLink(out);
  if (dangling !== null) {
    throw new UsageError(`${dangling.link} is a link to ${dangling.target}, which does not exist.`, { hint: HINT });
  }
  const target = await realTarget(out);
  const found = await statOf(target);
  if (found !== null && !found.isDirectory()) throw new UsageError(`${out} is a file.`, { hint: HINT });
  for (const read of await filesOf(source)) {
    if (isWithin(read, target)) {
      throw new UsageError(`${out} ${read === target ? 'is' : 'holds'} what is read: ${source}.`, { hint: HINT });
    }
  }
  if (isWithin(await realpath(process.cwd()), target)) {
    throw new UsageError(`${out} is the folder that this command works in, or holds it.`, { hint: HINT });
  }
  const conversion = await conversionAround(target);
  if (conversion !== null) {
    throw new UsageError(`${out} lies in the conversion ${conversion}, whose folders its own stages write.`, {
      hint: 'Leave --out away to run the stage there, or choose a folder of another name.',
    });
  }
  if (found !== null && (await readdir(target)).length > 0 && !(await isUntouched(target, kind))) {
    throw new UsageError(`${out} is not empty, and not as \`byteify ${kind}\` would have left it.`, {
      hint: `${HINT} Nothing was changed.`,
    });
  }
  return target;
}

/** Leaves the mark by which `claimOut` knows the folder again. Called when all files are there. */
export async function markOut(folder: string, kind: OutputKind): Promise<void> {
  const mark: Mark = { kind, files: await describeFiles(folder) };
  await writeFile(join(folder, OUTPUT_MARK), `${JSON.stringify(mark)}\n`);
}

async function isUntouched(folder: string, kind: OutputKind): Promise<boolean> {
  const text = await readFile(join(folder, OUTPUT_MARK), 'utf8').catch(() => null);
  if (text === null) return false;
  try {
    const mark = markSchema.parse(JSON.parse(text));
    return mark.kind === kind && JSON.stringify(mark.files) === JSON.stringify(await describeFiles(folder));
  } catch {
    return false;
  }
}

/** Everything in the folder but the mark; what is no plain file, as a link, has no size, so that no mark speaks for it. */
async function describeFiles(folder: string): Promise<Mark['files']> {
  const names = (await readdir(folder)).filter((name) => name !== OUTPUT_MARK).sort();
  const described = await Promise.all(
    names.map(async (name) => {
      const found = await lstat(join(folder, name)).catch(() => null);
      return [name, { size_bytes: found?.isFile() ? found.size : -1, modified_ms: found?.mtimeMs ?? 0 }] as const;
    }),
  );
  return Object.fromEntries(described);
}

/** The source, and the files in it: a conversion's `source/` holds links to files elsewhere. */
async function filesOf(source: string): Promise<string[]> {
  const names = await readdir(source).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(source, name);
      return (await statOf(path))?.isFile() ? path : null;
    }),
  );
  const real = [source, ...files].map((path) => (path === null ? null : realpath(path).catch(() => null)));
  return (await Promise.all(real)).filter((path) => path !== null);
}

/** Where a path lies when links are followed; its last parts need not exist. */
async function realTarget(path: string): Promise<string> {
  const absolute = resolve(path);
  const real = await realpath(absolute).catch(() => null);
  if (real !== null) return real;
  const parent = dirname(absolute);
  if (parent === absolute) return absolute;
  return join(await realTarget(parent), basename(absolute));
}

/** The conversion in whose folders of stages a path lies, or null. */
async function conversionAround(path: string): Promise<string | null> {
  const owned: readonly string[] = [...STAGES.map(({ output }) => output), 'data'];
  for (let at = path; dirname(at) !== at; at = dirname(at)) {
    const above = dirname(at);
    if (owned.includes(basename(at)) && (await statOf(join(above, MANIFEST_NAME))) !== null) return above;
  }
  return null;
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

async function statOf(path: string): Promise<Stats | null> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    if (error.code === 'ENOTDIR')
      throw new UsageError(`${path} cannot be a folder: a file stands in its way.`, { hint: HINT });
    throw error;
  });
}
