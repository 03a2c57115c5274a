/** @module Release: what a published model must tell. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Manifest } from '../conversion/index.js';

export interface Shortfall {
  /** One sentence that says what is missing or wrong. */
  readonly sentence: string;
  /** What to do about it. */
  readonly hint: string;
}

const KEYS = ['license', 'library_name', 'pipeline_tag'] as const;

/** @returns what is missing; nothing when the folder can be published */
export async function releaseShortfalls(params: {
  folder: string;
  manifest: Manifest | null;
  repository: string;
  acceptedLicense: string | null;
}): Promise<readonly Shortfall[]> {
  const card = await readFile(join(params.folder, 'README.md'), 'utf8').catch(() => '');
  const front: unknown = parse(/^---\r?\n([\s\S]*?)\r?\n---/.exec(card)?.[1] ?? '');
  return KEYS.filter((key) => typeof front !== 'object' || front === null || !(key in front)).map((key) => ({
    sentence: `README.md says nothing of ${key}.`,
    hint: 'Export again, or add it to the front matter.',
  }));
}
