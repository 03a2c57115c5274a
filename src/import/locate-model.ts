/** @module Locates the MODEL argument of the command line: a folder, a GGUF file, the built-in model, or a model on the hub. */
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
import { checkMetadataFiles } from './check-metadata-files.js';

export interface LocatedModel {
  readonly kind: 'hub' | 'folder' | 'gguf';
  /** The absolute path of a folder, or of the GGUF file. */
  readonly path: string;
  /** The commit of a hub model. */
  readonly revision: string | null;
}

export interface LocateOptions {
  readonly onProgress?: (event: { path: string; doneBytes: number; totalBytes: number }) => void;
  /** Called with a hub model's current name if it was renamed. */
  readonly onRenamed?: (name: string) => void;
  readonly signal?: AbortSignal;
}

/** The tiny Llama that is shipped with byteify; assets/ lies beside both src/ and dist/. */
const BUILTIN: Readonly<Record<string, string>> = {
  'builtin:tiny-llama': fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url)),
};

/** Whether a text is meant as a path, so that the hub need not be queried. */
function looksLikePath(model: string): boolean {
  return /^([./~]|[A-Za-z]:[\\/])/.test(model) || model.toLowerCase().endsWith('.gguf') || model.endsWith('/');
}

/**
 * Locates a model, and downloads it if it is on the hub.
 * @param model a path or a hub id; an existing path takes precedence.
 * @throws UsageError if the path does not exist or is not a model; ByteifyError if the hub refuses.
 */
export async function locateModel(model: string, options: LocateOptions = {}): Promise<LocatedModel> {
  const builtin = BUILTIN[model];
  if (builtin !== undefined) return { kind: 'folder', path: builtin, revision: null };
  if (existsSync(model)) {
    const folder = (await stat(model)).isDirectory();
    if (!folder && !model.toLowerCase().endsWith('.gguf')) {
      throw new UsageError(`${model} is a file, but not a .gguf file.`, {
        hint: 'Pass a transformers folder, a .gguf file, or a hub id.',
      });
    }
    return { kind: folder ? 'folder' : 'gguf', path: resolve(model), revision: null };
  }
  if (looksLikePath(model) || danglingLink(model) !== null)
    throw missingPath(model, 'Pass a folder, a .gguf file, or a hub id such as org/name.');
  const onConfig = async (folder: string, weights: readonly string[]) => {
    const config = await checkMetadataFiles(folder);
    if (!weights.includes(SINGLE_FILE)) await checkIndex(folder, config);
  };
  const { folder, commit } = await downloadModel(model, { ...options, onConfig });
  return { kind: 'hub', path: folder, revision: commit };
}
