/** @module The stages of a conversion, each as one step on its folder. */

export { adapt } from './adapt.js';
export type { BudgetRequest } from './budget-step.js';
export { calibrateFolder } from './calibrate-folder.js';
export type { StepContext } from './context.js';
export { convert } from './convert.js';
export { dataPaths, filesOf } from './data-paths.js';
export { dataStep } from './data-step.js';
export { demoCorpus } from './demo-corpus.js';
export { exportStep } from './export-step.js';
export { finetuneStep } from './finetune-step.js';
export { importStep } from './import-step.js';
export { patcherStep } from './patcher-step.js';
export { type PublishRequest, publishStep } from './publish-step.js';
export { recordEvaluation } from './record-evaluation.js';
export { recordRecipe } from './record-recipe.js';
export { remapStep } from './remap-step.js';
export { showModel } from './show-model.js';
export { type Sweep, type SweepPoint, sweepFolder } from './sweep-folder.js';
export type { TokenBaseline } from './token-baseline-step.js';
export { withLlama } from './with-llama.js';
