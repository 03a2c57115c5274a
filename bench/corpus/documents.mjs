// The documents of a package, from the store of an earlier run if the package, its selection and the reading code are the same. Reading
// takes minutes, so that a run that was interrupted goes on with the next package.
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { valuesIn } from '../json-lines.mjs';
import { fileNameOf } from './file-name.mjs';
import { filesEnding } from './list-files.mjs';
import { readPackage } from './read-package.mjs';
import { unpack } from './unpack.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const READING = ['read-package.mjs', 'draw.mjs', 'mixed.mjs', 'list-files.mjs', 'decode.mjs', 'normalise.mjs'];

/** Changes with every file that decides what is read. */
const readingCode = () =>
  [...READING.map((name) => join(HERE, name)), ...filesEnding(join(HERE, 'readers'), '.mjs')].map((path) =>
    readFileSync(path, 'utf8'),
  );

const keyOf = (texts, sha256) =>
  createHash('sha256')
    .update(
      JSON.stringify([sha256, texts, readingCode()], (_, value) => (value instanceof RegExp ? `${value}` : value)),
    )
    .digest('hex')
    .slice(0, 16);

/** Unpacks and reads a package into a file with a document on each line. */
function store(texts, file, { path, unpacked }) {
  rmSync(unpacked, { recursive: true, force: true });
  unpack(file, unpacked);
  const draft = openSync(`${path}.part`, 'w');
  for (const document of readPackage(unpacked, texts)) writeSync(draft, `${JSON.stringify(document)}\n`);
  closeSync(draft);
  rmSync(unpacked, { recursive: true, force: true });
  renameSync(`${path}.part`, path);
}

/**
 * @param {import('./packages.mjs').Package} entry
 * @param {{ file: string, sha256: string, work: string }} options
 * @returns {import('./read-package.mjs').Document[]}
 */
export function documentsOf({ name, texts }, { file, sha256, work }) {
  const folder = join(work, 'texts');
  const prefix = `${fileNameOf(name)}@`;
  const path = join(folder, `${prefix}${keyOf(texts, sha256)}.jsonl`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    for (const old of readdirSync(folder)) if (old.startsWith(prefix)) rmSync(join(folder, old));
    store(texts, file, { path, unpacked: join(work, 'unpacked') });
  }
  return valuesIn(path);
}
