/** @module Texts that were not trained on, or that a user names: what a patcher is measured on. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { buildStore, type EvaluationTextOptions, evaluationTexts, openStore, warnRefused } from '../data/index.js';
import { UsageError } from '../errors.js';
import type { Reporter } from '../ui/index.js';

/** Small, so that one short file makes enough pieces. */
const PIECE_BYTES = 1024;

/** The held-out texts of a conversion. @throws UsageError when it has none yet. */
export async function heldOutTexts(dir: string, options: EvaluationTextOptions): Promise<Uint8Array[]> {
  const folder = join(dir, 'data');
  if (!existsSync(folder))
    throw new UsageError('There is no text to measure on.', { hint: 'Give files or folders with --data PATH.' });
  const store = await openStore(folder);
  return evaluationTexts(store.validation, options).finally(() => store.close());
}

/** How the text in files and folders is read, and what is told of it. */
export interface TextsOptions {
  /** The whole sample. */
  readonly maxBytes: number;
  /** Where a JSON record holds its text; default `text`. */
  readonly textKey?: string;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** A sample of the text in files and folders; what cannot be used of them is named in warnings. */
export async function textsOf(
  paths: readonly string[],
  { maxBytes, textKey = 'text', reporter, signal }: TextsOptions,
): Promise<Uint8Array[]> {
  const out = await mkdtemp(join(tmpdir(), 'byteify-texts-'));
  try {
    const { refused, refused_count: count } = await buildStore({
      paths,
      out: join(out, 'data'),
      chunkBytes: PIECE_BYTES,
      validationFraction: 0.5,
      textKey,
      seed: 0,
      signal,
    });
    warnRefused(reporter, refused, { count });
    return await heldOutTexts(out, { maxBytes });
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** Paths as kinds of text, which are called by their last part, or whole where two end alike. */
export function kindsOf(paths: readonly string[]): { readonly kind: string; readonly path: string }[] {
  const names = paths.map((path) => basename(path, extname(path)));
  const isAlone = (name: string) => names.indexOf(name) === names.lastIndexOf(name);
  return paths.map((path, i) => ({ kind: isAlone(names[i]!) ? names[i]! : path, path }));
}
