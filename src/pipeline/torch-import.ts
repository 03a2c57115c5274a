/** @module Takes back a model that was trained in PyTorch, as a BLT folder with its card and provenance. */
import { basename, resolve } from 'node:path';
import { type ExportReport, exportTransformers } from '../export/index.js';
import { openTorchCheckpoint, type TorchCheckpoint } from '../import/index.js';
import { recipeFor } from '../recipe/index.js';
import { metadataFiles } from '../release/index.js';
import { humanBytes, humanCount, type Reporter } from '../ui/index.js';

export interface TorchImport extends Pick<TorchCheckpoint, 'record'> {
  readonly report: ExportReport;
}

/**
 * Verifies a checkpoint and writes it to `out`, in float32, so that training can continue from it. Needs no engine.
 * @throws as `openTorchCheckpoint` and `exportTransformers` do; `out` is then not written.
 */
export async function torchImport(params: {
  readonly checkpoint: string;
  readonly out: string;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}): Promise<TorchImport> {
  const { checkpoint: folder, out, reporter, signal } = params;
  const onProgress = (done: number, total: number) => reporter.progress({ done, total, unit: 'bytes' });
  reporter.stage(`Checking ${folder}`);
  const { record } = await openTorchCheckpoint(folder, { signal, onProgress });
  reporter.done(`${record.step.toLocaleString('en')} steps`);
  const { script, byteify, torch, transformers, data_sha256, step: steps, bytes } = record;
  const { card, files } = await metadataFiles({
    folder,
    manifest: null,
    recipe: await recipeFor(folder, undefined),
    name: basename(resolve(out)),
    trainedElsewhere: { script, byteify, torch, transformers, data_sha256, steps, bytes },
  });
  reporter.stage(`Importing ${folder}`);
  const report = await exportTransformers({
    ...{ from: folder, out, dtype: 'float32' as const, card, metadata: files, signal },
    onProgress: ({ doneBytes, totalBytes }) => onProgress(doneBytes, totalBytes),
  });
  reporter.done(`${humanCount(report.parameters)} parameters, ${humanBytes(report.weightBytes)}`);
  return { record, report };
}
