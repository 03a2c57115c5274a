/** @module Divides `--budget` among the stages, once: a conversion that is resumed keeps the steps that were chosen when it began. */
import { readBltConfig } from '../blt/index.js';
import type { ByteStore } from '../data/index.js';
import { UsageError } from '../errors.js';
import { digestOf } from '../fs/index.js';
import {
  type Budget,
  divideBudget,
  type IsSet,
  localPlanSource,
  parseBudget,
  renderBudget,
  sameBudget,
  sustainedGflops,
} from '../plan/index.js';
import { forDigest, type Recipe, recipeFor } from '../recipe/index.js';
import type { StepContext } from './context.js';
import { recordRecipe } from './record-recipe.js';
import { trainedStage } from './trained-stage.js';

/** What `--budget` asks for. */
export interface BudgetRequest {
  readonly budget: Budget;
  /** Which keys of the recipe were set explicitly: the budget leaves them as they are. */
  readonly isSet: IsSet;
}

/** A digest of what a budget changes in a recipe. */
const trainingDigest = ({ patcher, stages }: Recipe): string => digestOf(forDigest({ patcher, stages }));

/**
 * The recipe of a conversion that has been trained in part: if the budget is the one it began with, with the steps that were chosen then.
 * @param request null without `--budget`
 * @returns null if nothing has been trained yet, or all of it is redone
 * @throws UsageError when the budget or the recipe has changed since training began
 */
export async function resumedRecipe(
  { conversion, recipe }: StepContext,
  request: BudgetRequest | null,
): Promise<Recipe | null> {
  const trained = trainedStage(conversion);
  if (trained === null) return null;
  const before = conversion.manifest().budget;
  const redo = `add --restart-from ${trained} to redo it and all later stages, or choose another --out.`;
  if (request === null) {
    if (before === undefined || trainingDigest(recipe) !== before.recipe) return recipe;
    throw new UsageError(`The steps in ${conversion.folder} were chosen by --budget ${before.asked}.`, {
      hint: `Repeat the option to resume, ${redo}`,
    });
  }
  if (before === undefined || !sameBudget(parseBudget(before.asked), request.budget)) {
    throw new UsageError(`The budget has changed since the stage "${trained}" began in ${conversion.folder}.`, {
      hint:
        before === undefined
          ? `Leave out --budget to resume, ${redo}`
          : `Give --budget ${before.asked} to resume, ${redo}`,
    });
  }
  const own = await recipeFor(conversion.folder, undefined);
  if (![before.recipe, trainingDigest(own)].includes(trainingDigest(recipe))) {
    throw new UsageError(`The recipe has changed since its steps were chosen in ${conversion.folder}.`, {
      hint: `A${redo.slice(1)}`,
    });
  }
  return { ...recipe, patcher: own.patcher, stages: own.stages };
}

/**
 * The recipe with the steps that a budget pays for, before anything is trained. It prints them and stores them in the conversion's `recipe.yaml`.
 * @param request null without `--budget`, which leaves the recipe as it is
 * @throws what `divideBudget` throws
 */
export async function budgetedRecipe(
  { conversion, recipe, reporter }: StepContext,
  store: ByteStore,
  request: BudgetRequest | null,
): Promise<Recipe> {
  if (request === null) {
    if (conversion.manifest().budget !== undefined) await conversion.update(({ budget: _, ...manifest }) => manifest);
    return recipe;
  }
  const { budget, isSet } = request;
  const source = await localPlanSource(conversion.path('import'));
  const gflops = sustainedGflops();
  const flopsPerSecond = gflops === null ? null : gflops * 1e9;
  const divided = divideBudget({
    config: await readBltConfig(conversion.path('remap')),
    recipe,
    sourceBytes: source.weightBytes,
    sourceVocabSize: source.config.vocabSize,
    sourceBytesPerWeight: source.bytesPerWeight,
    flopsPerSecond,
    budget,
    textBytes: store.train.byteCount,
    isSet,
  });
  reporter.note(renderBudget(budget, divided, flopsPerSecond).trimEnd());
  await recordRecipe(conversion, divided.recipe);
  const record = { asked: budget.text, recipe: trainingDigest(recipe) };
  await conversion.update((manifest) => ({ ...manifest, budget: record }));
  return divided.recipe;
}
