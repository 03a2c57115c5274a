/** The repository's own text files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const TEXT = /\.(ts|mjs|js|py|sh|md|ya?ml|html)$/;
/** Sample texts for tests, and built files, which are not the project's documentation. */
const SKIPPED = new Set(['node_modules', 'dist', 'fixtures']);

function filesBelow(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() && TEXT.test(entry.name) ? [path] : [];
  });
}

/** The texts below some of the repository's folders, and at its root, by path from the root. */
export function repositoryTexts(...folders: readonly string[]): Map<string, string> {
  const atRoot = readdirSync(REPOSITORY, { withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT.test(entry.name))
    .map(({ name }) => name);
  return new Map(
    [...atRoot, ...folders.flatMap(filesBelow)].map((path) => [path, readFileSync(join(REPOSITORY, path), 'utf8')]),
  );
}
