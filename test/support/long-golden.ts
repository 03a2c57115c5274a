import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenPath } from './golden.js';

/** A copy of the plain golden model whose parts read 4,096 bytes. @returns its folder */
export async function longGolden(folder: string): Promise<string> {
  await cp(goldenPath('plain/blt'), folder, { recursive: true });
  const path = join(folder, 'config.json');
  const longer = (_: string, value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || !('max_position_embeddings' in value)) return value;
    return { ...value, max_position_embeddings: 4096 };
  };
  await writeFile(path, JSON.stringify(JSON.parse(await readFile(path, 'utf8'), longer)));
  return folder;
}
