/** @module Files that a model continues: the beginning of held-out documents of each domain of bytes, and what it writes after it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readStoreManifest } from '../data/index.js';
import { heldOutOpenings } from '../evaluate/index.js';
import type { ResidentModel } from '../model/index.js';
import { mediaType } from './media-type.js';
import { writtenAfter } from './written-after.js';

export interface ByteSample {
  readonly domain: string;
  readonly original: Uint8Array;
  /** How many of its bytes the model was given. */
  readonly promptBytes: number;
  /** The given bytes, and those that the model wrote after them, at most as many as the original has. */
  readonly continued: Uint8Array;
}

const SAMPLES_PER_DOMAIN = 3;
/** Among so many, those come first that a browser shows: a chunk from the middle of a long file is none. */
const LOOKED_AT = 16;
const LONGEST_BYTES = 4096;

/** Held-out documents of the domains of bytes; none if the conversion's folder has no data. */
async function originals(dir: string): Promise<Pick<ByteSample, 'domain' | 'original'>[]> {
  const folder = join(dir, 'data');
  const domains = existsSync(folder) ? ((await readStoreManifest(folder))?.domains ?? []) : [];
  if (domains.every(({ kind }) => kind === 'text')) return [];
  const maxBytes = domains.length * LOOKED_AT * LONGEST_BYTES;
  const openings = await heldOutOpenings(dir, { maxBytes, openingBytes: LONGEST_BYTES, domains: 'all' });
  return openings
    .filter(({ kind }) => kind === 'bytes')
    .flatMap(({ name, texts }) => {
      const isShown = (text: Uint8Array) => mediaType(text) !== null;
      const ordered = [...texts.filter(isShown), ...texts.filter((text) => !isShown(text))];
      return ordered.slice(0, SAMPLES_PER_DOMAIN).map((original) => ({ domain: name, original }));
    });
}

/** Lets the model write the second half of held-out documents. The engine must be started. */
export async function byteSamples(dir: string, model: ResidentModel): Promise<ByteSample[]> {
  const documents = await originals(dir);
  if (documents.length === 0) return [];
  const tasks = documents.map(({ original }) => {
    const promptBytes = Math.ceil(original.length / 2);
    return { prompt: original.subarray(0, promptBytes), maxBytes: Math.max(1, original.length - promptBytes) };
  });
  const texts = await writtenAfter(model, tasks);
  return documents.map((document, i) => {
    const { prompt } = tasks[i]!;
    return { ...document, promptBytes: prompt.length, continued: Buffer.concat([prompt, texts[i]!]) };
  });
}
