// What tsc leaves undone in dist: files whose source is gone stay there, and the command is not executable.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const src = fileURLToPath(new URL('../src/', import.meta.url));

/** Only what this build emits: a declaration and a module for each source. */
const sourceOf = (name) => (/\.(d\.ts|js)$/.test(name) ? name.replace(/\.(d\.ts|js)$/, '.ts') : null);

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = `${entry.parentPath}/${entry.name}`;
  const source = sourceOf(path.slice(dist.length));
  if (source === null || !existsSync(src + source)) rmSync(path);
}
chmodSync(`${dist}cli.js`, 0o755);
