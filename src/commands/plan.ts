/** @module `byteify plan`: predicts the cost of a conversion, stage by stage, before anything runs. */

import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { bltConfigFor } from '../blt/index.js';
import { MANIFEST_NAME } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { locateModel } from '../import/index.js';
import { hubPlanSource, localPlanSource, makePlan, measuredGflops, type Plan, type PlanSource } from '../plan/index.js';
import { loadRecipeOrDefault, localSizesOf } from '../recipe/index.js';
import { humanBytes } from '../ui/index.js';
import { type Command, type Context, parsers, printResult } from './command.js';
import { planDocument } from './plan/plan-document.js';
import { renderPlan } from './plan/render-plan.js';
import { type RecipeArgs, recipeOptions } from './shared-options.js';

interface Args extends RecipeArgs {
  readonly model?: string;
  readonly gflops?: number;
}

/**
 * The share of the self-test's rate that whole training steps reach: less than `npm run bench:train` shows for large models, more than for small ones.
 */
const SUSTAINED_SHARE = 0.6;

export const plan: Command<Args> = {
  name: 'plan',
  summary: 'predict parameters, FLOPs, memory, disk and time of each stage, before anything runs',
  arguments: [
    {
      name: 'model',
      help: 'hub id, transformers folder (its config.json is enough) or .gguf file (default: the recipe’s)',
      optional: true,
    },
  ],
  options: [
    ...recipeOptions,
    {
      flags: '--gflops <rate>',
      help: 'GFLOP/s that training sustains (default: 0.6 times the rate that byteify setup measured)',
      parse: parsers.positive,
    },
  ],
  examples: [
    'byteify plan HuggingFaceTB/SmolLM2-135M --recipe smollm2-135m',
    'byteify plan ./Llama-3.2-1B --recipe llama-3.2-1b --gflops 400000 --json',
  ],
  async run(context, args) {
    const recipe = await loadRecipeOrDefault(args.recipe, { sets: args.set, onWarning: context.reporter.warn });
    const model = args.model ?? recipe.source?.model;
    if (model === undefined) {
      throw new UsageError('No model was named.', {
        hint: 'Give a hub id, a folder or a .gguf file, or a recipe with source.model.',
      });
    }
    const source = await findSource(context, model);
    const config = bltConfigFor(source.config, localSizesOf(source.config, recipe));
    const measured = measuredGflops();
    const gflops = args.gflops ?? (measured === null ? null : SUSTAINED_SHARE * measured);
    const made = makePlan({
      config,
      recipe,
      sourceBytes: source.weightBytes,
      sourceVocabSize: source.config.vocabSize,
      sourceBytesPerWeight: source.bytesPerWeight,
      flopsPerSecond: gflops === null ? null : gflops * 1e9,
    });
    await warnOfLimits(context, made);
    printResult(context, planDocument(made, { model, gflops }), () => renderPlan(made, { model, gflops }));
  },
};

/** Warns about a lack of memory or disk here, since the machine that plans usually runs the conversion too. */
async function warnOfLimits({ reporter }: Context, made: Plan): Promise<void> {
  if (made.memoryBytes > totalmem()) {
    reporter.warn(
      `Training needs ${humanBytes(made.memoryBytes)} of memory, but this machine has ${humanBytes(totalmem())}: lower micro_batch_size, or set gradient_checkpointing.`,
    );
  }
  const { bavail, bsize } = await statfs('.');
  if (made.diskBytes > bavail * bsize) {
    reporter.warn(
      `All stages together need ${humanBytes(made.diskBytes)} of disk, but only ${humanBytes(bavail * bsize)} are free here.`,
    );
  }
}

async function findSource({ signal }: Context, model: string): Promise<PlanSource> {
  if (existsSync(join(model, MANIFEST_NAME))) return localPlanSource(join(model, 'source'));
  // Only a local model is located: a plan downloads no weights from the hub.
  if (existsSync(model) || model.startsWith('builtin:')) return localPlanSource((await locateModel(model)).path);
  return hubPlanSource(model, signal);
}
