/** @module Checks the --out of a command that writes one whole folder: it must be new, empty, or unchanged output of the same command. */

import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { danglingLink } from '../system-errors.js';
import { MANIFEST_NAME } from './manifest.js';
import { STAGES } from './stages.js';

export type OutputKind = 'export' | 'remap';

/** Records the files that a command wrote. If the folder was copied, or a file was added or modified, it belongs to the user. */
export const OUTPUT_RECORD = '.byteify-output.json';

const markSchema = z.strictObject({
  kind: z.enum(['export', 'remap']),
  files: z.record(z.string(), z.strictObject({ size_bytes: z.number(), modified_ms: z.number() })),
});

type Mark = Readonly<z.infer<typeof markSchema>>;

const HINT = 'Choose a new or an empty folder for --out.';

/**
 * Ensures that writing to a folder destroys nothing. Call it before any work.
 * @param params.source the input, a folder or a file
 * @returns the real path of `out`, with links resolved
 * @throws UsageError when `out` is a file, contains something that `markOutput` did not record, is or contains the source, is or
 * contains the working directory of the process, or belongs to a conversion
 */
export async function claimOutput(out: string, params: { kind: OutputKind; source: string }): Promise<string> {
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
      throw new UsageError(`${out} ${read === target ? 'is' : 'contains'} the input: ${source}.`, { hint: HINT });
    }
  }
  if (isWithin(await realpath(process.cwd()), target)) {
    throw new UsageError(`${out} is the current working directory, or contains it.`, { hint: HINT });
  }
  const conversion = await conversionAround(target);
  if (conversion !== null) {
    throw new UsageError(`${out} lies in the conversion ${conversion}, whose folders its own stages write.`, {
      hint: 'Leave out --out to run the stage there, or choose a folder with another name.',
    });
  }
  if (found !== null && (await readdir(target)).length > 0 && !(await isUntouched(target, kind))) {
    throw new UsageError(`${out} is not empty, and not as \`byteify ${kind}\` would have left it.`, {
      hint: `${HINT} Nothing was changed.`,
    });
  }
  return target;
}

/** Writes the record by which `claimOutput` recognises the folder later. Call it when all files are written. */
export async function markOutput(folder: string, kind: OutputKind): Promise<void> {
  const mark: Mark = { kind, files: await describeFiles(folder) };
  await writeFile(join(folder, OUTPUT_RECORD), `${JSON.stringify(mark)}\n`);
}

async function isUntouched(folder: string, kind: OutputKind): Promise<boolean> {
  const text = await readFile(join(folder, OUTPUT_RECORD), 'utf8').catch(() => null);
  if (text === null) return false;
  try {
    const mark = markSchema.parse(JSON.parse(text));
    return mark.kind === kind && JSON.stringify(mark.files) === JSON.stringify(await describeFiles(folder));
  } catch {
    return false;
  }
}

/** Describes everything in the folder except the record. Anything but a regular file, such as a link, gets no size and so never matches. */
async function describeFiles(folder: string): Promise<Mark['files']> {
  const names = (await readdir(folder)).filter((name) => name !== OUTPUT_RECORD).sort();
  const described = await Promise.all(
    names.map(async (name) => {
      const found = await lstat(join(folder, name)).catch(() => null);
      return [name, { size_bytes: found?.isFile() ? found.size : -1, modified_ms: found?.mtimeMs ?? 0 }] as const;
    }),
  );
  return Object.fromEntries(described);
}

/** The source and the files in it, with links resolved: a conversion's `source/` contains links to files elsewhere. */
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

/** The real path behind a path, with links resolved. Trailing components need not exist. */
async function realTarget(path: string): Promise<string> {
  const absolute = resolve(path);
  const real = await realpath(absolute).catch(() => null);
  if (real !== null) return real;
  const parent = dirname(absolute);
  if (parent === absolute) return absolute;
  return join(await realTarget(parent), basename(absolute));
}

/** The conversion in one of whose stage folders a path lies, or null. */
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
      throw new UsageError(`${path} cannot be a folder: one of its parents is a file.`, { hint: HINT });
    throw error;
  });
}
