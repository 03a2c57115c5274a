/** @module Compiles a recipe's stages for GPUs that are absent: whether they compile, the memory that they need, what they transfer. */
export { compileStageInProcess, type StageRequest } from './compile-in-process.js';
export { type CompiledProgram, type CompiledStage, fits, largestProgram } from './compiled-stage.js';
export { TARGET_NAMES, TARGETS, type Target } from './targets.js';
export type { TracedStage } from './trace-stage.js';
