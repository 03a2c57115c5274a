/** @module Reads the small files of a model's folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { readModelJson } from '../fs/index.js';

export type Json = Record<string, unknown>;

export const BROKEN = 'Download the model’s tokenizer files again.';

const DAMAGED = 'Download the model again.';

/** The text of a file, or null if it does not exist. @throws ByteifyError when it exists but cannot be read. */
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

/** The JSON object in a file, or null if the file does not exist. @throws ByteifyError when it contains anything else. */
export function readJson(folder: string, name: string): Promise<Json | null> {
  return readModelJson(join(folder, name), DAMAGED);
}
