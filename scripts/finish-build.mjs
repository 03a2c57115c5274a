// What tsc leaves undone in dist: files whose source is gone stay there, and the command is not executable.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const src = fileURLToPath(new URL('../src/', import.meta.url));

/** Only what this build emits has a source: a declaration and a module for each file of TypeScript or JavaScript. */
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
