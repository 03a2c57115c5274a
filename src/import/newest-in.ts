/** @module Finds the newest complete checkpoint in a folder. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../fs/index.js';
import { systemCode } from '../system-errors.js';

const NAME = /^checkpoint-(\d+)$/;

/** @param marker a file that only complete checkpoints have. @returns null if there is none, or the folder does not exist. */
export async function newestIn(folder: string, marker: string): Promise<string | null> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  });
  const steps = names.flatMap((name) => NAME.exec(name)?.[1] ?? []);
  const newest = steps
    .sort((a, b) => Number(b) - Number(a))
    .map((step) => join(folder, `checkpoint-${step}`))
    .find((path) => isThere(join(path, marker)));
  return newest ?? null;
}
