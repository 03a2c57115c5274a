/** @module Training: the patcher, and the BLT through the stages of a recipe. */
export type { SourceSettings } from './batches/batch-preparer.js';
export { createBatchSource } from './batches/batch-source.js';
export { finetune } from './finetune.js';
export { follow } from './follow.js';
export { type Followers, followersOf } from './followers.js';
export {
  type BenchOptions,
  type BenchResult,
  benchTrainStep,
  openBench,
  type SteppedBench,
} from './loop/bench-train-step.js';
export { checkpointName, checkpointSteps } from './loop/checkpoint.js';
export type { SlowProcess } from './loop/slow-process.js';
export { train } from './loop/train.js';
export type { StepReport } from './loop/train-options.js';
export { binaryCrossEntropySum } from './losses/binary-cross-entropy.js';
export { type Boundary, boundaryLoss } from './losses/boundary-loss.js';
export { type ChunkLossInputs, chunkLoss } from './losses/chunk-loss.js';
export { embeddingLoss } from './losses/embedding-loss.js';
export { prefixKl } from './losses/prefix-kl.js';
export {
  calibrate,
  type LabelGoal,
  patcherOutputs,
  predictedEntropies,
  withThreshold,
} from './patcher/calibrate-patcher.js';
export { type Calibration, type CutGoal, calibrateThreshold } from './patcher/pick-threshold.js';
export { type PatcherReport, trainPatcher } from './patcher/train-patcher.js';
export {
  addProducts,
  emptyProducts,
  type Products,
  principalDirections,
  ridge,
} from './stages/closed-form/least-squares.js';
export { fitResidualBackoff, type ObservedText } from './stages/closed-form/residual-backoff.js';
export type { FinetuneOptions, FinetuneReport } from './stages/stage-context.js';
export type { Teacher } from './teacher/teacher.js';
export { type TokenBaselineOptions, trainTokenBaseline } from './token-baseline/token-baseline.js';
