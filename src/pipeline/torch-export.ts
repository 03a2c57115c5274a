/** @module Hands a model over to PyTorch: `byteify export --format torch`. */
import { basename, join, resolve } from 'node:path';
import { readBltConfig } from '../blt/index.js';
import { type Manifest, outputFolder, readManifest, resolveCheckpoint } from '../conversion/index.js';
import { MANIFEST_FILE, warnRefused } from '../data/index.js';
import { UsageError } from '../errors.js';
import { type ExportReport, type TorchSettings, torchSettings, writeHandOver } from '../export/index.js';
import { isThere } from '../fs/index.js';
import type { Recipe } from '../recipe/index.js';
import { metadataFiles } from '../release/index.js';
import { humanBytes, humanCount, type Reporter } from '../ui/index.js';
import { buildData } from './build-data.js';
import { checkDomains, dataPaths } from './data-paths.js';
import { dataDigest } from './training.js';

export interface TorchExportRequest {
  /** A conversion, or a BLT checkpoint folder. */
  readonly dir: string;
  /** The checkpoint to hand over; null for the newest one. */
  readonly checkpoint: string | null;
  readonly out: string;
  /** The recipe whose end-to-end stage is trained. */
  readonly recipe: Recipe;
  /** The recipe that the model was made with, for its card. */
  readonly madeWith: Recipe;
  /** Values of --data; if empty, the conversion's own text. */
  readonly data: readonly string[];
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface TorchExport {
  readonly report: ExportReport;
  readonly settings: Omit<TorchSettings, 'data_sha256'>;
}

/** The folders of the model. Before any training of the model, its patcher is in a folder of its own. */
async function modelFolders(
  { dir, checkpoint, reporter }: TorchExportRequest,
  manifest: Manifest | null,
): Promise<[string, ...string[]]> {
  if (checkpoint !== null) return [(await resolveCheckpoint(checkpoint)).folder];
  const { folder, origin } = await resolveCheckpoint(dir, { prefer: ['run', 'init'] });
  if (origin !== 'init') return [folder];
  reporter.warn(`${dir} has not been fine-tuned yet: its local models are untrained.`);
  return manifest?.stages.patcher?.state === 'done' ? [outputFolder(dir, 'patcher'), folder] : [folder];
}

/** @throws UsageError if there is no text */
function textOf({
  dir,
  recipe,
  data,
  reporter,
  signal,
}: TorchExportRequest): Parameters<typeof writeHandOver>[0]['text'] {
  const store = join(dir, 'data');
  if (data.length > 0) {
    const paths = dataPaths(data, recipe);
    checkDomains(paths, recipe);
    return async (folder) => {
      reporter.stage('Reading text');
      const { refused, refused_count: count } = await buildData(paths, folder, { recipe, reporter, signal });
      warnRefused(reporter, refused, { count, list: `${MANIFEST_FILE} of the new folder` });
      reporter.done();
    };
  }
  if (isThere(join(store, MANIFEST_FILE))) return store;
  throw new UsageError('There is no text to train on.', { hint: 'Pass files or folders with --data PATH.' });
}

/**
 * Writes the model, the text, the settings and the scripts into a new folder. Needs no engine.
 * @throws UsageError for a recipe or a model that the scripts cannot train, without text, or if `out` exists; the signal's reason.
 */
export async function torchExport(request: TorchExportRequest): Promise<TorchExport> {
  const { dir, out, recipe, madeWith, reporter, signal } = request;
  const manifest = await readManifest(dir);
  const from = await modelFolders(request, manifest);
  const settings = torchSettings(await readBltConfig(from[0]), recipe);
  const text = textOf(request);
  const { card, files } = await metadataFiles({
    folder: dir,
    manifest,
    recipe: madeWith,
    name: basename(resolve(out)),
  });
  reporter.stage(`Exporting ${from[0]}`);
  const report = await writeHandOver({
    ...{ from, out, settings, text, dataDigest, card, signal },
    metadata: files,
    maxShardBytes: recipe.export.max_shard_bytes,
    onProgress: ({ tensor, doneBytes, totalBytes }) =>
      reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: tensor }),
  });
  reporter.done(`${humanCount(report.parameters)} parameters, ${humanBytes(report.weightBytes)}`);
  return { report, settings };
}
