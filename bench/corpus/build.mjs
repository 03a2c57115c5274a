// Builds the corpus: downloads and reads one package after the other, removes unsuitable documents and near duplicates, and stores a file
// of JSON lines for every package and kind of text.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { documentsOf } from './documents.mjs';
import { fetchPackage } from './fetch-package.mjs';
import { fileNameOf } from './file-name.mjs';
import { withoutFurniture } from './furniture.mjs';
import { interleave } from './interleave.mjs';
import { withoutLicenceHeader } from './licence-header.mjs';
import { shingles, signatureOf } from './minhash.mjs';
import { NearDuplicates } from './near-duplicates.mjs';
import { overlaps } from './overlap.mjs';
import { pinOf, readPins } from './pins.mjs';
import { Refusal } from './refusal.mjs';
import { rejection } from './rules.mjs';
import { bySplit, NOT_TRAINED } from './splits.mjs';

const count = (counts, name) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

/** The files of one package, opened when the first document of a kind is written. */
function openShards(folder, name) {
  /** @type {Map<string, number>} */
  const shards = new Map();
  return {
    write(kind, record) {
      let shard = shards.get(kind);
      if (shard === undefined) {
        mkdirSync(join(folder, kind), { recursive: true });
        shard = openSync(join(folder, kind, `${fileNameOf(name)}.jsonl`), 'w');
        shards.set(kind, shard);
      }
      writeSync(shard, `${JSON.stringify(record)}\n`);
    },
    close: () => {
      for (const shard of shards.values()) closeSync(shard);
    },
  };
}

/** The documents without licences and without what a generator added to each page. The files of code begin and end alike by nature. */
function trimmed(documents) {
  const clean = documents.map((document) => ({ ...document, text: withoutLicenceHeader(document.text) }));
  const pages = clean.filter(({ kind }) => kind !== 'code');
  const texts = withoutFurniture(pages.map(({ text }) => text));
  return [
    ...pages.map((document, i) => ({ ...document, text: texts[i] })),
    ...clean.filter(({ kind }) => kind === 'code'),
  ];
}

/**
 * Writes the documents of a package that are kept, and counts all of them.
 * @param {import('./packages.mjs').Package} entry
 * @param {import('./read-package.mjs').Document[]} documents
 * @param {{ out: string, known: NearDuplicates<{ name: string, split: string }> }} context
 */
export function addPackage({ name, split }, documents, { out, known }) {
  /** @type {Record<string, { documents: number, bytes: number }>} */
  const kinds = {};
  /** @type {Record<string, number>} */
  const rejected = {};
  /** @type {Record<string, number>} */
  const duplicates = {};
  const shards = openShards(join(out, split), name);
  for (const { kind, path, text } of trimmed(documents)) {
    const rule = rejection(text, kind);
    const twin = rule === null ? known.add(signatureOf(shingles(text)), { name, split }) : null;
    if (rule !== null) count(rejected, rule);
    else if (twin !== null) count(duplicates, twin.name === name ? 'of the same package' : `of ${twin.split}`);
    else {
      shards.write(kind, { text, source: { package: name, path } });
      kinds[kind] ??= { documents: 0, bytes: 0 };
      kinds[kind].documents++;
      kinds[kind].bytes += Buffer.byteLength(text);
    }
  }
  shards.close();
  return { kinds, rejected, duplicates };
}

/**
 * @typedef {object} BuildOptions
 * @property {string} work a folder for downloads and texts, which stay there
 * @property {string} out the folder of the corpus, which appears when it is complete
 * @property {(line: string) => void} log
 * @property {Record<string, import('./pins.mjs').Pin>} [pins]
 */

/**
 * @param {import('./packages.mjs').Package[]} packages
 * @param {BuildOptions} options
 */
export function buildCorpus(packages, { work, out, log, pins = readPins() }) {
  const pinned = bySplit(packages).map((entry) => ({ entry, pin: pinOf(pins, entry) }));
  const downloads = join(work, 'packages');
  mkdirSync(downloads, { recursive: true });
  const stored = pinned.map(({ entry, pin }) => ({ entry, pin, file: fetchPackage(entry, pin, downloads) }));
  log(`${stored.length} packages are downloaded and verified`);
  const draft = `${out}.part`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const known = new NearDuplicates();
  const report = stored.map(({ entry, pin, file }) => {
    const found = addPackage(entry, documentsOf(entry, { file, sha256: pin.sha256, work }), { out: draft, known });
    const bytes = Object.values(found.kinds).reduce((sum, kind) => sum + kind.bytes, 0);
    if (bytes === 0) throw new Refusal(`${entry.name} ${pin.version} gives no text; see bench/corpus/packages.mjs`);
    log(`${entry.name}: ${(bytes / 1e6).toFixed(1)} MB`);
    const { name, registry, licence, split } = entry;
    return { name, registry, version: pin.version, sha256: pin.sha256, licence, split, ...found };
  });
  const overlap = {};
  for (const split of NOT_TRAINED) {
    const held = join(draft, split);
    if (existsSync(held)) for (const kind of readdirSync(held)) interleave(join(held, kind));
    overlap[split] = overlaps(held, join(draft, 'train'));
  }
  return {
    report,
    overlap,
    /** Stores the summary beside the texts, and moves the complete corpus to `out`. */
    finish(summary) {
      writeFileSync(join(draft, 'corpus.json'), `${JSON.stringify(summary, null, 2)}\n`);
      rmSync(out, { recursive: true, force: true });
      renameSync(draft, out);
    },
  };
}
