/** @module Runs a conversion: every stage that is not done yet. */
import { type BudgetRequest, budgetedRecipe, resumedRecipe } from './budget-step.js';
import type { StepContext } from './context.js';
import { dataStep } from './data-step.js';
import { exportStep } from './export-step.js';
import { finetuneStep } from './finetune-step.js';
import { importStep } from './import-step.js';
import { patcherStep } from './patcher-step.js';
import { remapStep } from './remap-step.js';

/**
 * @param model hub id, folder or GGUF file; @param data the files and folders to train on.
 * @param budget chooses the steps of the patcher and of each stage; null takes the recipe's.
 * @throws the signal's reason when stopped; another call resumes. UsageError when the model, recipe, text or budget changed since, or when the
 * budget is too small.
 */
export async function convert(
  context: StepContext,
  model: string,
  data: readonly string[],
  budget: BudgetRequest | null = null,
): Promise<void> {
  const resumed = await resumedRecipe(context, budget);
  let step = { ...context, recipe: resumed ?? context.recipe };
  await importStep(step, model);
  await remapStep(step);
  const store = await dataStep(step, data);
  try {
    if (resumed === null) step = { ...step, recipe: await budgetedRecipe(step, store, budget) };
    await patcherStep(step, store);
    await finetuneStep(step, store);
  } finally {
    await store.close();
  }
  await exportStep(step);
}
