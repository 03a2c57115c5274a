/** @module The first stage: imports a model from any location into a verified, self-describing folder. */

import { copyFile, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../errors.js';
import { refusePointer, writeFolderAtomic } from '../fs/index.js';
import { openGguf } from '../gguf/index.js';
import { isLicenceFile } from '../hub/files.js';
import { type LlamaConfig, openLlama } from '../llama/index.js';
import { openCheckpoint } from '../safetensors/index.js';
import { systemFailure } from '../system-errors.js';
import { tokenizerFromGguf } from '../tokenizer/index.js';
import { checkGgufMetadata, checkMetadataFiles } from './check-metadata-files.js';
import { type HashedFile, hashFiles } from './hash-files.js';
import { licenseOf } from './license.js';
import { type LocateOptions, locateModel } from './locate-model.js';

export interface ImportReport {
  readonly kind: 'hub' | 'folder' | 'gguf';
  readonly model: string;
  /** The commit of a hub model. */
  readonly revision: string | null;
  readonly license: string | null;
  readonly config: LlamaConfig;
  /** The types of the weights that were quantised (`Q4_1`), the most frequent first. */
  readonly quantisedTypes: readonly string[];
  /** The files that were read, with their paths. */
  readonly files: readonly HashedFile[];
}

/** Files to copy if they exist, in addition to the licence files. */
const COPIED: readonly RegExp[] = [
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map)\.json$/,
  /^chat_template\.jinja$/,
  /^model\.safetensors\.index\.json$/,
  /^README\.md$/,
];

const isCopied = (name: string) => isLicenceFile(name) || COPIED.some((pattern) => pattern.test(name));

/** Rejects git-lfs pointers among the files to copy, before anything is written. */
async function refusePointers(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw systemFailure(cause, path) ?? cause;
    });
    refusePointer(bytes, path);
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

interface Prepared extends Pick<ImportReport, 'config' | 'license' | 'quantisedTypes'> {
  /** Weight files, which are read and linked. */
  readonly weights: readonly string[];
  /** Files to copy. */
  readonly copied: readonly string[];
  /** Files to write: their texts by name. */
  readonly written: Readonly<Record<string, string>>;
}

async function prepareFolder(folder: string): Promise<Prepared> {
  const metadataFiles = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && isCopied(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
  await refusePointers(metadataFiles);
  const source = await openLlama(folder);
  await source.close();
  if (source.ropeLayout === 'interleaved') {
    throw new UsageError(`${folder} contains a .gguf file.`, { hint: 'Pass the path of the file itself.' });
  }
  await checkMetadataFiles(folder);
  const weights = await openCheckpoint(folder);
  await weights.close();
  return {
    config: source.config,
    quantisedTypes: source.quantisedTypes,
    license: await licenseOf(folder),
    weights: weights.files,
    copied: metadataFiles,
    written: {},
  };
}

async function prepareGguf(path: string): Promise<Prepared> {
  const source = await openLlama(path);
  await source.close();
  const { keyValues, close } = await openGguf(path);
  await close();
  const tokenizer = tokenizerFromGguf(keyValues);
  await checkGgufMetadata(path, tokenizer, source.config, source.configJson);
  const license = keyValues.get('general.license');
  return {
    config: source.config,
    quantisedTypes: source.quantisedTypes,
    license: typeof license === 'string' ? license : null,
    weights: [path],
    copied: [],
    written: {
      'config.json': json(source.configJson),
      'tokenizer.json': json(tokenizer.tokenizerJson),
      'tokenizer_config.json': json(tokenizer.tokenizerConfig),
    },
  };
}

/**
 * Creates `out` with the config and tokenizer files, links to the weights, and import.json; `openLlama(out)` can read the result.
 * @param params.model a hub id, a transformers folder, a .gguf file, or builtin:tiny-llama.
 * @throws ByteifyError or UsageError if the model cannot be found, read or converted; `out` is then not created.
 */
export async function importModel(params: { model: string; out: string } & LocateOptions): Promise<ImportReport> {
  const { model, out, onProgress, onRenamed, signal } = params;
  const watch = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
  const { kind, path, revision } = await locateModel(model, { ...watch, ...(onRenamed && { onRenamed }) });
  const prepared = kind === 'gguf' ? await prepareGguf(path) : await prepareFolder(path);
  const files = await hashFiles([...prepared.weights, ...prepared.copied], { ...watch, namedByDigest: kind === 'hub' });
  const { license, config, quantisedTypes } = prepared;
  const report = { kind, model, revision, license, config, quantisedTypes, files };
  await writeFolderAtomic(out, async (folder) => {
    for (const file of prepared.copied) await copyFile(file, join(folder, basename(file)));
    for (const file of prepared.weights) {
      const name = kind === 'gguf' ? 'model.gguf' : basename(file);
      await symlink(await realpath(file), join(folder, name)).catch((cause: unknown) => {
        throw systemFailure(cause, out) ?? cause;
      });
    }
    for (const [name, text] of Object.entries(prepared.written)) await writeFile(join(folder, name), text);
    await writeFile(join(folder, 'import.json'), json(documentOf(report)));
  });
  return report;
}

function documentOf({ files, config, quantisedTypes, ...report }: ImportReport): object {
  return {
    ...report,
    quantised_types: quantisedTypes,
    layers: config.layers,
    hidden_size: config.hiddenSize,
    files: files.map(({ path, sizeBytes, sha256 }) => ({ path, size_bytes: sizeBytes, sha256 })),
  };
}
