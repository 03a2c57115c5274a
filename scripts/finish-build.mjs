// Finishes dist after tsc: removes the files whose source no longer exists, and makes the command executable.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const src = fileURLToPath(new URL('../src/', import.meta.url));

/** The build emits a module and a declaration for each source file, and nothing else. */
function hasSource(name) {
  const base = name.replace(/\.(d\.ts|js)$/, '');
  return base !== name && (existsSync(`${src}${base}.ts`) || existsSync(`${src}${base}.js`));
}

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = `${entry.parentPath}/${entry.name}`;
  if (!hasSource(path.slice(dist.length))) rmSync(path);
}
chmodSync(`${dist}cli.js`, 0o755);
