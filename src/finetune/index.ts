/** @module Training: the patcher, and the BLT by the stages of a recipe. */

export {
  type BenchOptions,
  type BenchResult,
  benchTrainStep,
  openBench,
  type SteppedBench,
} from './bench-train-step.js';
export { type Calibration, calibrateThreshold } from './calibrate.js';
export { checkpointName, checkpointSteps } from './checkpoint.js';
export { type FinetuneOptions, type FinetuneReport, finetune } from './finetune.js';
export { type StepReport, train } from './train.js';
export { calibrate, type PatcherReport, trainPatcher, withThreshold } from './train-patcher.js';
