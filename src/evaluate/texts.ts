/** @module The texts on which models are measured: a conversion's held-out text, or files that the user names. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import {
  allTexts,
  buildStore,
  type DomainTexts,
  domainOf,
  type EvaluationTextOptions,
  evaluationTexts,
  type OpeningOptions,
  openingTexts,
  openStore,
  type StoredSplit,
  textDomain,
  textOf,
  warnRefused,
} from '../data/index.js';
import { UsageError } from '../errors.js';
import type { Reporter } from '../ui/index.js';

/** Maximum size of a document chunk: small, so that even a short file is split into enough chunks to sample from. */
const CHUNK_BYTES = 1024;

/** Which domains of held-out data are read. */
interface OfDomains {
  readonly domains: 'all' | 'text' | { readonly only: string };
}

/** What `read` takes from the held-out data of a conversion. @throws UsageError if it has none yet. */
async function fromHeldOut<T>(
  dir: string,
  { domains }: OfDomains,
  read: (split: StoredSplit) => Promise<T>,
): Promise<T> {
  const folder = join(dir, 'data');
  if (!existsSync(folder))
    throw new UsageError('There is no text to measure on.', { hint: 'Pass files or folders with --data PATH.' });
  const { validation, close } = await openStore(folder);
  try {
    if (domains === 'all') return await read(validation);
    return await read(domains === 'text' ? textOf(validation) : domainOf(validation, domains.only));
  } finally {
    await close();
  }
}

/** The first held-out texts of a conversion, of its domains together. @throws UsageError if it has none yet */
export const heldOutTexts = (dir: string, options: EvaluationTextOptions & OfDomains): Promise<Uint8Array[]> =>
  fromHeldOut(dir, options, async (split) => allTexts(await evaluationTexts(split, options)));

/** The openings of held-out documents from all over each domain of a conversion's data. @throws UsageError if it has none yet. */
export const heldOutOpenings = (dir: string, options: OpeningOptions & OfDomains): Promise<DomainTexts[]> =>
  fromHeldOut(dir, options, (split) => openingTexts(split, options));

export interface TextsOptions {
  /** Maximum bytes of the whole sample. */
  readonly maxBytes: number;
  /** The key of a JSON record that contains its text; default `text`. */
  readonly textKey?: string;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** A sample of the text in files and folders. Warns about text that cannot be used. @throws UsageError for a path that does not exist. */
export async function textsOf(
  paths: readonly string[],
  { maxBytes, textKey = 'text', reporter, signal }: TextsOptions,
): Promise<Uint8Array[]> {
  const out = await mkdtemp(join(tmpdir(), 'byteify-texts-'));
  try {
    const { refused, refused_count: count } = await buildStore({
      domains: [textDomain(paths, CHUNK_BYTES)],
      out: join(out, 'data'),
      validationFraction: 0.5,
      textKey,
      seed: 0,
      signal,
    });
    warnRefused(reporter, refused, { count });
    return await heldOutTexts(out, { maxBytes, domains: 'text' });
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** Kinds of text from paths: each is named after the last part of its path, or after the whole path if two names are equal. */
export function kindsOf(paths: readonly string[]): { readonly kind: string; readonly path: string }[] {
  const names = paths.map((path) => basename(path, extname(path)));
  const isAlone = (name: string) => names.indexOf(name) === names.lastIndexOf(name);
  return paths.map((path, i) => ({ kind: isAlone(names[i]!) ? names[i]! : path, path }));
}
