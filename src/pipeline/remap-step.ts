/** @module The second stage: copies the source's layers into a BLT with newly initialised local models, in `init/`. */
import { bltConfigFor } from '../blt/index.js';
import { runStage } from '../conversion/index.js';
import { digestOf } from '../fs/index.js';
import { openLlama } from '../llama/index.js';
import { localSizesOf } from '../recipe/index.js';
import { readRemapReport, remap } from '../remap/index.js';
import { humanBytes } from '../ui/index.js';
import type { StepContext } from './context.js';
import { recordRecipe } from './record-recipe.js';

/**
 * Remaps the imported source into `init/`, unless that is done. Needs no engine.
 * @throws UsageError when the source or the recipe has changed since; ByteifyError when the source is incomplete; the signal's reason.
 */
export async function remapStep({ conversion, recipe, reporter, signal }: StepContext): Promise<void> {
  reporter.stage('Remapping');
  const source = await openLlama(conversion.path('import'));
  try {
    const sizes = localSizesOf(source.config, recipe);
    const state = await runStage({
      conversion,
      name: 'remap',
      inputs: {
        source: digestOf(
          (conversion.manifest().stages.import?.files ?? []).map(({ path, size_bytes, sha256 }) => ({
            path,
            size_bytes,
            sha256,
          })),
        ),
        recipe: digestOf({ sizes, dtype: recipe.blt.dtype, seed: recipe.seed }),
      },
      work: async (out) => {
        await recordRecipe(conversion, recipe);
        const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }) =>
          reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes' });
        const config = bltConfigFor(source.config, sizes);
        const { dtype } = recipe.blt;
        await remap({ source, config, out, ownsOut: true, seed: recipe.seed, dtype, onProgress, signal });
        return {};
      },
    });
    const report = await readRemapReport(conversion.path('remap'));
    const copied = humanBytes(report.copied_bytes);
    reporter.done(
      state === 'skipped'
        ? 'already there'
        : `${copied} copied from the source, ${report.fresh_parameters.toLocaleString('en')} new parameters`,
    );
  } finally {
    await source.close();
  }
}
