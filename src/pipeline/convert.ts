/** @module Runs a conversion: every stage that is not done yet. */
import type { StepContext } from './context.js';
import { dataStep } from './data-step.js';
import { exportStep } from './export-step.js';
import { finetuneStep } from './finetune-step.js';
import { importStep } from './import-step.js';
import { patcherStep } from './patcher-step.js';
import { remapStep } from './remap-step.js';

/**
 * @param model hub id, folder or GGUF file; @param data the files and folders to train on.
 * @throws the signal's reason when stopped; another call resumes. UsageError when the model, recipe or text changed since.
 */
export async function convert(context: StepContext, model: string, data: readonly string[]): Promise<void> {
  await importStep(context, model);
  await remapStep(context);
  const store = await dataStep(context, data);
  try {
    await patcherStep(context, store);
    await finetuneStep(context, store);
  } finally {
    await store.close();
  }
  await exportStep(context);
}
