/** @module Predicts the cost of a conversion, before anything runs. */
export {
  type Budget,
  type DividedBudget,
  divideBudget,
  type IsSet,
  parseBudget,
  renderBudget,
  sameBudget,
} from './budget/index.js';
export { type Network, ringBytes, ringSeconds, type StepParts, stepSeconds } from './data-parallel.js';
export { hubPlanSource } from './hub-plan-source.js';
export { inferenceText, makePlan, type Plan, type PlanInputs, type StagePlan, trainingWorks } from './make-plan.js';
export { measuredGflops } from './measured-gflops.js';
export { type MemoryInputs, type TrainingMemory, trainingMemory } from './memory.js';
export { type PartParameters, parametersByPart, sumParameters, usedParametersByPart } from './parameters.js';
export { parseFlops } from './parse-flops.js';
export { planInputs } from './plan-inputs.js';
export { configPlanSource, localPlanSource, type PlanSource } from './plan-source.js';
export { type SbatchOptions, sbatchScript } from './sbatch.js';
export { type AllowedPatch, type GlobalSize, PATCH_SIZES, type Scale, type ScaleInputs, scaleAt } from './scale.js';
export { sustainedGflops } from './sustained-gflops.js';
export { type StageCost, type TrainingWork, trainingStageCost } from './training-stage.js';
