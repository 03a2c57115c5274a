// The corpus of bench:corpus for other benchmarks.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCorpus } from './build.mjs';
import { KINDS } from './kinds.mjs';
import { PACKAGES } from './packages.mjs';
import { summaryOf } from './summary.mjs';

const log = (line) => process.stderr.write(`${line}\n`);

/**
 * Builds the corpus in `work` unless it exists.
 * @param {string} work
 * @returns a folder for each kind of training text, and the sha256 of each package that it comes from
 */
export function openLargeCorpus(work) {
  const out = join(work, 'large');
  if (!existsSync(out)) {
    const { finish, ...built } = buildCorpus(PACKAGES, { work, out, log });
    finish(summaryOf(built));
  }
  const { packages } = JSON.parse(readFileSync(join(out, 'corpus.json'), 'utf8'));
  return {
    folders: KINDS.map((kind) => join(out, 'train', kind)),
    packages: packages
      .filter(({ split }) => split === 'train')
      .map(({ name, version, sha256 }) => ({ name: `${name} ${version}`, sha256 })),
  };
}
