/** @module Runs the stages of a recipe, from the remapped model and its patcher to the final checkpoint. */
import { join } from 'node:path';
import { loadsSourceLayers, needsSource, readBltConfig } from '../blt/index.js';
import { plainTexts, textOf } from '../data/index.js';
import { UsageError } from '../errors.js';
import { measureParts } from '../evaluate/index.js';
import type { RecipeStage } from '../recipe/index.js';
import { checkpointName } from './loop/checkpoint.js';
import { closedForm } from './stages/closed-form/closed-form.js';
import type { FinetuneOptions, FinetuneReport, StageContext } from './stages/stage-context.js';
import { runTrainingStage } from './stages/training-stage.js';
import { openTeacher } from './teacher/teacher.js';

/** Stages after which the encoder and the decoder can be measured apart: the source's layers are still those that they are made for. */
const PARTS_ARE_MEASURED_AFTER: readonly RecipeStage['kind'][] = ['closed-form', 'align-encoder'];

/** The number of gradient steps in a stage, which is also the number of its last checkpoint. */
const stepsOf = (stage: RecipeStage): number => (stage.kind === 'closed-form' ? 0 : stage.steps);

/**
 * Runs the stages in order and skips those that are done. The engine must be started.
 * @throws the signal's reason, after a checkpoint was saved; ByteifyError when training diverges or a checkpoint is damaged; UsageError when a
 * stage needs a source and there is none.
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneReport> {
  const { recipe, run, from, followers = null, conversion: root = run } = options;
  const config = await readBltConfig(from[0]!);
  const learning = recipe.stages.find(needsSource);
  if (learning !== undefined && options.source === null) {
    throw new UsageError(`A stage of kind ${learning.kind} learns from the source, and this folder has none.`, {
      hint: 'Run it in a conversion folder, or use a recipe that has only end-to-end or join stages without prefix_kl.',
    });
  }
  if (learning !== undefined && textOf(options.store.train).count === 0) {
    throw new UsageError(
      `A stage of kind ${learning.kind} learns from the source, which reads text, and all data are of kind bytes.`,
      {
        hint: 'Pass text as well, or use a recipe that has only end-to-end or join stages without prefix_kl.',
      },
    );
  }
  const source = learning === undefined ? null : await openTeacher(options.source!, from, config);
  let metrics: Readonly<Record<string, number>> = {};
  let parts: Readonly<Record<string, number>> = {};
  let before: readonly string[] = from;
  try {
    for (const [stage, settings] of recipe.stages.entries()) {
      const last = stage === recipe.stages.length - 1;
      const folder = last ? run : join(run, `stage-${stage}`);
      const context: StageContext = {
        ...{ ...options, from: before, run: folder, root, stage, config },
        group: followers?.group ?? null,
        loadsSourceLayers: loadsSourceLayers(recipe.stages, stage),
        flopsBefore: metrics.flops ?? 0,
      };
      if (settings.kind === 'closed-form') {
        metrics = await closedForm(context, settings, source!);
      } else {
        const { loadsSourceLayers: loads, settings: digest, store } = context;
        await followers?.announce({
          ...{ kind: 'stage', base: from, from: before, source: source === null ? null : options.source },
          ...{ run: folder, root, recipe, stage, settings: digest, store: store.folder, loadsSourceLayers: loads },
        });
        metrics = await runTrainingStage(context, settings, source);
      }
      // The token-end head of an aligned patcher is stored in the patcher's folder only, so later stages still read `from`.
      before = [join(folder, checkpointName(stepsOf(settings))), ...from];
      if (PARTS_ARE_MEASURED_AFTER.includes(settings.kind)) {
        const measurement = {
          config,
          folders: before,
          remapped: from,
          run: folder,
          source: source!,
          texts: plainTexts(options.heldOut),
        };
        parts = await measureParts(measurement);
      }
    }
    return { checkpoint: before[0]!, metrics: { ...parts, ...metrics } };
  } finally {
    await source?.close();
  }
}
