/** @module The first stage: a model, wherever it lies, as a verified and self-describing folder. */

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
import { checkGgufPapers, checkPapers } from './check-metadata-files.js';
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
  /** What was read, with where it lies. */
  readonly files: readonly HashedFile[];
}

/** What is copied when it is there, beside what the licence asks to be passed on. */
const COPIED: readonly RegExp[] = [
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map)\.json$/,
  /^chat_template\.jinja$/,
  /^model\.safetensors\.index\.json$/,
  /^README\.md$/,
];

const isCopied = (name: string) => isLicenceFile(name) || COPIED.some((pattern) => pattern.test(name));

/** What is copied is looked at first: a git-lfs pointer in the place of a licence or a chat template is neither. */
async function refusePointers(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw systemFailure(cause, path) ?? cause;
    });
    refusePointer(bytes, path);
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

interface Prepared {
  readonly config: LlamaConfig;
  readonly license: string | null;
  /** Files that are read and linked: the weights. */
  readonly weights: readonly string[];
  /** Files that are copied. */
  readonly copied: readonly string[];
  /** Files that are written, by name. */
  readonly written: Readonly<Record<string, string>>;
}

async function prepareFolder(folder: string): Promise<Prepared> {
  const papers = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && isCopied(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
  await refusePointers(papers);
  const source = await openLlama(folder);
  await source.close();
  if (source.ropeLayout === 'interleaved') {
    throw new UsageError(`${folder} holds a .gguf file.`, { hint: 'Name the file itself.' });
  }
  await checkPapers(folder);
  const weights = await openCheckpoint(folder);
  await weights.close();
  return {
    config: source.config,
    license: await licenseOf(folder),
    weights: weights.files,
    copied: papers,
    written: {},
  };
}

async function prepareGguf(path: string): Promise<Prepared> {
  const source = await openLlama(path);
  await source.close();
  const { keyValues, close } = await openGguf(path);
  await close();
  const tokenizer = tokenizerFromGguf(keyValues);
  await checkGgufPapers(path, tokenizer, source.config, source.configJson);
  const license = keyValues.get('general.license');
  return {
    config: source.config,
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
 * Makes `out`: config and tokenizer files, the weights as links to where they lie, and import.json. `openLlama(out)` works then.
 * @param params.model hub id, transformers folder, .gguf file, or builtin:tiny-llama.
 * @throws ByteifyError or UsageError when the model cannot be had, read or converted; nothing is left in `out` then.
 */
export async function importModel(params: { model: string; out: string } & LocateOptions): Promise<ImportReport> {
  const { model, out, onProgress, onRenamed, signal } = params;
  const watch = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
  const { kind, path, revision } = await locateModel(model, { ...watch, ...(onRenamed && { onRenamed }) });
  const prepared = kind === 'gguf' ? await prepareGguf(path) : await prepareFolder(path);
  const files = await hashFiles([...prepared.weights, ...prepared.copied], { ...watch, namedByDigest: kind === 'hub' });
  const report = { kind, model, revision, license: prepared.license, config: prepared.config, files };
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

function documentOf({ files, config, ...report }: ImportReport): object {
  return {
    ...report,
    layers: config.layers,
    hidden_size: config.hiddenSize,
    files: files.map(({ path, sizeBytes, sha256 }) => ({ path, size_bytes: sizeBytes, sha256 })),
  };
}
