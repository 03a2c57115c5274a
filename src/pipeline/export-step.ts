/** @module The last stage: writes the checkpoint that transformers loads into `blt/`, and checks it. */

import { resolveCheckpoint, runStage } from '../conversion/index.js';
import { selfCheck } from '../evaluate/index.js';
import { exportTransformers } from '../export/index.js';
import { digestOf, removeAtomic } from '../fs/index.js';
import { metadataFiles, modelName } from '../release/index.js';
import { humanBytes, humanCount } from '../ui/index.js';
import type { StepContext } from './context.js';
import { recordRecipe } from './record-recipe.js';

/**
 * Exports the newest checkpoint of the run into `blt/`, unless that is done. The engine must be started.
 * @throws UsageError when there is no checkpoint, or the recipe or run has changed since; ByteifyError when the export's logits differ from its
 * checkpoint's, in which case the export is removed; the signal's reason.
 */
export async function exportStep({ conversion, recipe, reporter, signal }: StepContext): Promise<void> {
  reporter.stage('Exporting');
  const { dtype, max_shard_bytes } = recipe.export;
  const { folder: from } = await resolveCheckpoint(conversion.folder, { prefer: ['run'] });
  const state = await runStage({
    conversion,
    name: 'export',
    inputs: { recipe: digestOf(recipe.export), run: digestOf(conversion.manifest().stages.finetune ?? {}) },
    work: async (out) => {
      await recordRecipe(conversion, recipe);
      const { folder } = conversion;
      const manifest = conversion.manifest();
      const metadata = await metadataFiles({ folder, manifest, recipe, name: modelName(manifest, folder) });
      const report = await exportTransformers({
        from,
        out,
        dtype,
        maxShardBytes: max_shard_bytes,
        ownsOut: true,
        card: metadata.card,
        metadata: metadata.files,
        onProgress: ({ tensor, doneBytes, totalBytes }) =>
          reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: tensor }),
        signal,
      });
      try {
        const check = await selfCheck(from, out, dtype);
        return {
          metrics: {
            parameters: report.parameters,
            weight_bytes: report.weightBytes,
            max_logit_difference: check.maxLogitDifference,
          },
        };
      } catch (error) {
        await removeAtomic(out); // do not leave a wrong export behind
        throw error;
      }
    },
  });
  const { parameters = 0, weight_bytes = 0 } = conversion.manifest().stages.export?.metrics ?? {};
  const summary = `${humanCount(parameters)} parameters, ${humanBytes(weight_bytes)} as ${dtype}, reloaded and compared`;
  reporter.done(state === 'skipped' ? `already there, ${summary}` : summary);
}
