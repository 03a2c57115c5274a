/** @module The small files of a model's folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { parseJson } from '../fs/index.js';

export type Json = Record<string, unknown>;

export const BROKEN = 'Download the model’s tokenizer files again.';

const DAMAGED = 'Download the model again.';

/** A file's text, or null where there is none. @throws ByteifyError when it is there and cannot be read. */
export async function readText(folder: string, name: string): Promise<string | null> {
  const path = join(folder, name);
  return await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw new ByteifyError(`${path} cannot be read: ${cause.message}.`, {
      hint: 'Check the file and its permissions.',
      cause,
    });
  });
}

/** The same of an object in JSON. @throws ByteifyError when it is none. */
export async function readJson(folder: string, name: string): Promise<Json | null> {
  const text = await readText(folder, name);
  if (text === null) return null;
  const path = join(folder, name);
  const json = parseJson(text, path, DAMAGED);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ByteifyError(`${path} is not a JSON object.`, { hint: DAMAGED });
  return json as Json;
}
