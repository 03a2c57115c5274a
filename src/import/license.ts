/** @module The licence that a model's own papers name. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** `license` of the model card's front matter (`license_name` where that is `other`), or null. */
export async function licenseOf(folder: string): Promise<string | null> {
  const card = await readFile(join(folder, 'README.md'), 'utf8').catch(() => '');
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card)?.[1];
  if (front === undefined) return null;
  try {
    const { license, license_name: name } = (parse(front) ?? {}) as Record<string, unknown>;
    const named = license === 'other' && typeof name === 'string' ? name : license;
    return typeof named === 'string' ? named : null;
  } catch {
    return null; // a card that is not YAML says nothing
  }
}
