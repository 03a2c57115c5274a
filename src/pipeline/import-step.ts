/** @module The first stage: imports the source into `source/`. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { runStage } from '../conversion/index.js';
import { digestOf } from '../fs/index.js';
import { importModel } from '../import/index.js';
import { counted, humanBytes } from '../ui/index.js';
import { refuseChangedSource } from './changed-source.js';
import type { StepContext } from './context.js';

/** How an import reports its progress, and how it is stopped. */
export const importProgress = (model: string, { reporter, signal }: Pick<StepContext, 'reporter' | 'signal'>) => ({
  onProgress: ({ path, doneBytes, totalBytes }: { path: string; doneBytes: number; totalBytes: number }) =>
    reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: path }),
  onRenamed: (name: string) => reporter.note(`${model} is now called ${name} on the hub.`),
  signal,
});

/**
 * Imports a model, unless that is done. Needs no engine.
 * @param model hub id, folder or GGUF file
 * @throws UsageError when the model has changed since, or is not one that can be found; ByteifyError when it cannot be converted or
 * downloaded; the signal's reason.
 */
export async function importStep(
  { conversion, reporter, signal }: Omit<StepContext, 'recipe'>,
  model: string,
): Promise<void> {
  reporter.stage(`Importing ${model}`);
  await refuseChangedSource(conversion, model, signal);
  const state = await runStage({
    conversion,
    name: 'import',
    // The same file from another working folder is the same model.
    inputs: { model: digestOf(existsSync(model) ? resolve(model) : model) },
    work: async (out) => {
      const report = await importModel({ model, out, ...importProgress(model, { reporter, signal }) });
      await conversion.update(({ adapted_from: _, ...manifest }) => ({
        ...manifest,
        model,
        revision: report.revision,
        license: report.license,
        quantised_types: report.quantisedTypes,
      }));
      const files = report.files.map(({ path, sizeBytes, modified, sha256 }) => ({
        path,
        size_bytes: sizeBytes,
        sha256,
        modified,
      }));
      return { files };
    },
  });
  const files = conversion.manifest().stages.import?.files ?? [];
  const size = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  reporter.done(state === 'skipped' ? 'already there' : `${counted(files.length, 'file')}, ${humanBytes(size)}`);
}
