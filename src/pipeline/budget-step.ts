/** @module Divides `--budget` among the stages, once: a conversion that is resumed keeps the steps that were chosen when it began. */
import { readBltConfig } from '../blt/index.js';
import { restartHint } from '../conversion/index.js';
import { type ByteStore, textOf } from '../data/index.js';
import { UsageError } from '../errors.js';
import { digestOf } from '../fs/index.js';
import {
  type Budget,
  divideBudget,
  type IsSet,
  localPlanSource,
  parseBudget,
  planInputs,
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
  if (request === null) {
    if (before === undefined || trainingDigest(recipe) !== before.recipe) return recipe;
    throw new UsageError(`The steps in ${conversion.folder} were chosen by --budget ${before.asked}.`, {
      hint: restartHint(trained, 'Repeat the option to resume'),
    });
  }
  if (before === undefined || !sameBudget(parseBudget(before.asked), request.budget)) {
    throw new UsageError(`The budget has changed since the stage "${trained}" began in ${conversion.folder}.`, {
      hint: restartHint(
        trained,
        `${before === undefined ? 'Leave out --budget' : `Give --budget ${before.asked}`} to resume`,
      ),
    });
  }
  const own = await recipeFor(conversion.folder, undefined);
  if (![before.recipe, trainingDigest(own)].includes(trainingDigest(recipe))) {
    throw new UsageError(`The recipe has changed since its steps were chosen in ${conversion.folder}.`, {
      hint: restartHint(trained),
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
  const config = await readBltConfig(conversion.path('remap'));
  const inputs = planInputs({ config, recipe, source, gflops: sustainedGflops() });
  const divided = divideBudget({ ...inputs, budget, textBytes: textOf(store.train).byteCount, isSet });
  reporter.note(renderBudget(budget, divided, inputs.flopsPerSecond).trimEnd());
  await recordRecipe(conversion, divided.recipe);
  const record = { asked: budget.text, recipe: trainingDigest(recipe) };
  await conversion.update((manifest) => ({ ...manifest, budget: record }));
  return divided.recipe;
}
