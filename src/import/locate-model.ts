/** @module Where a MODEL of the command line lies: a folder, a GGUF file, the embedded model, or the hub. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.js';
import { missingPath } from '../fs/index.js';
import { downloadModel } from '../hub/index.js';
import { checkIndex } from '../llama/index.js';
import { SINGLE_FILE } from '../safetensors/index.js';
import { danglingLink } from '../system-errors.js';
import { checkPapers } from './check-metadata-files.js';

export interface LocatedModel {
  readonly kind: 'hub' | 'folder' | 'gguf';
  /** A folder, or the GGUF file itself; absolute. */
  readonly path: string;
  /** The commit of a hub model. */
  readonly revision: string | null;
}

export interface LocateOptions {
  readonly onProgress?: (event: { path: string; doneBytes: number; totalBytes: number }) => void;
  /** Called with what a hub model is called now, where that is not how it was asked for. */
  readonly onRenamed?: (name: string) => void;
  readonly signal?: AbortSignal;
}

/** The tiny Llama that comes with byteify, beside both src/ and dist/. */
const BUILTIN: Readonly<Record<string, string>> = {
  'builtin:tiny-llama': fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url)),
};

/** Something that was meant as a path: no lookup on the hub will find it. */
function looksLikePath(model: string): boolean {
  return /^([./~]|[A-Za-z]:[\\/])/.test(model) || model.toLowerCase().endsWith('.gguf') || model.endsWith('/');
}

/**
 * @param model a path that exists wins over a hub id.
 * @throws UsageError for a path that does not exist; what the hub refuses.
 */
export async function locateModel(model: string, options: LocateOptions = {}): Promise<LocatedModel> {
  const builtin = BUILTIN[model];
  if (builtin !== undefined) return { kind: 'folder', path: builtin, revision: null };
  if (existsSync(model)) {
    const folder = (await stat(model)).isDirectory();
    if (!folder && !model.toLowerCase().endsWith('.gguf')) {
      throw new UsageError(`${model} is a file, but not a .gguf.`, {
        hint: 'Give a transformers folder, a .gguf file, or a hub id.',
      });
    }
    return { kind: folder ? 'folder' : 'gguf', path: resolve(model), revision: null };
  }
  if (looksLikePath(model) || danglingLink(model) !== null)
    throw missingPath(model, 'Give a folder, a .gguf file, or a hub id like org/name.');
  const onConfig = async (folder: string, weights: readonly string[]) => {
    const config = await checkPapers(folder);
    if (!weights.includes(SINGLE_FILE)) await checkIndex(folder, config);
  };
  const { folder, commit } = await downloadModel(model, { ...options, onConfig });
  return { kind: 'hub', path: folder, revision: commit };
}
