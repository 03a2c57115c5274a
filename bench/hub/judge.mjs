// Judges the outcome of a download by the bytes in the cache, whatever the client reported.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Of } from '../digest.mjs';

/** The complete files in the cache: those in snapshots, without broken links, and blobs. */
function namedFiles(repository) {
  const files = (folder) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .map((entry) => ({ name: entry.name, path: join(entry.parentPath, entry.name) }))
          .filter(({ path }) => existsSync(path) && statSync(path).isFile())
      : [];
  const blobs = files(join(repository, 'blobs')).filter(({ name }) => !name.endsWith('.incomplete'));
  return { snapshot: files(join(repository, 'snapshots')), blobs };
}

/**
 * @param {object} download
 * @param {string} download.source the folder with the expected files
 * @param {string} download.repository the repository's folder in the cache
 * @param {number | null} download.code the client's exit code; null if it did not finish in time
 */
export function judge({ source, repository, code }) {
  const right = new Map(readdirSync(source).map((name) => [name, sha256Of(join(source, name))]));
  const digests = new Set(right.values());
  const { snapshot, blobs } = namedFiles(repository);
  const wrong =
    snapshot.some(({ name, path }) => right.get(name) !== sha256Of(path)) ||
    blobs.some(({ path }) => !digests.has(sha256Of(path)));
  if (wrong) return code === 0 ? 'accepted wrong bytes' : 'failed, wrong bytes kept';
  if (code === null) return 'hangs';
  if (code !== 0) return 'failed cleanly';
  return snapshot.length === right.size ? 'recovered' : 'accepted wrong bytes';
}
