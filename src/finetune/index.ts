/** @module Training: the patcher, and the BLT by the stages of a recipe. */

export { type AlignmentRecord, readAlignment } from './alignment.js';
export {
  type BenchOptions,
  type BenchResult,
  benchTrainStep,
  openBench,
  type SteppedBench,
} from './bench-train-step.js';
export { type Calibration, type CutGoal, calibrateThreshold } from './calibrate.js';
export { calibrate, type LabelGoal, withThreshold } from './calibrate-patcher.js';
export { checkpointName, checkpointSteps } from './checkpoint.js';
export { type FinetuneOptions, type FinetuneReport, finetune } from './finetune.js';
export { loadPatcher } from './load-patcher.js';
export { type MeasuredPatcher, type MeasuredSource, measureSegmentation } from './measure-segmentation.js';
export { type StepReport, train } from './train.js';
export { type PatcherReport, trainPatcher } from './train-patcher.js';
