/** @module Runs a recipe's stages: from the remapped model and its patcher to the last checkpoint of the run. */
import { join } from 'node:path';
import { readBltConfig } from '../blt/index.js';
import { UsageError } from '../errors.js';
import { measureEncoder } from '../evaluate/index.js';
import type { RecipeStage } from '../recipe/index.js';
import { checkpointName } from './loop/checkpoint.js';
import { closedForm } from './stages/closed-form/closed-form.js';
import type { FinetuneOptions, FinetuneReport } from './stages/stage-context.js';
import { runTrainingStage } from './stages/training-stage.js';
import { openTeacher } from './teacher/teacher.js';

/** Stages after which the encoder can be judged by what the source makes of its patches. */
const SPEAKS_TO_SOURCE: readonly RecipeStage['kind'][] = ['closed-form', 'align-encoder'];

/** Gradient steps that a stage takes: its checkpoint's number. */
const stepsOf = (stage: RecipeStage): number => (stage.kind === 'closed-form' ? 0 : stage.steps);

/**
 * Runs the stages in order; those that are done are passed over.
 * @throws the signal's reason after a checkpoint when stopped; ByteifyError when training diverges; UsageError when a stage needs a source
 * and there is none.
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneReport> {
  const { recipe, run, from, conversion: root = run } = options;
  const config = await readBltConfig(from[0]!);
  const needsSource = recipe.stages.find(({ kind }) => kind !== 'end-to-end');
  if (needsSource !== undefined && options.source === null) {
    throw new UsageError(`A stage of kind ${needsSource.kind} learns from the source, and this folder has none.`, {
      hint: 'Run it in a conversion folder, or leave only end-to-end stages in the recipe.',
    });
  }
  const source = needsSource === undefined ? null : await openTeacher(options.source!, from[0]!);
  let metrics: Readonly<Record<string, number>> = {};
  let encoder: Readonly<Record<string, number>> = {};
  let before: readonly string[] = from;
  try {
    for (const [stage, settings] of recipe.stages.entries()) {
      const last = stage === recipe.stages.length - 1;
      const folder = last ? run : join(run, `stage-${stage}`);
      const context = { ...options, from: before, run: folder, root, stage, config, flopsBefore: metrics.flops ?? 0 };
      metrics = await (settings.kind === 'closed-form'
        ? closedForm(context, settings, source!)
        : runTrainingStage(context, settings, source));
      // How an aligned patcher tells a token's end is in its own folder alone.
      before = [join(folder, checkpointName(stepsOf(settings))), ...from];
      if (SPEAKS_TO_SOURCE.includes(settings.kind)) {
        const question = { config, folders: before, run: folder, source: source!, texts: options.heldOut };
        encoder = await measureEncoder(question);
      }
    }
    return { checkpoint: before[0]!, metrics: { ...encoder, ...metrics } };
  } finally {
    await source?.close();
  }
}
