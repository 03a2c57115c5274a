/** @module Puts together what a plan is made from. */
import type { BltConfig } from '../blt/index.js';
import type { Recipe } from '../recipe/index.js';
import type { PlanInputs } from './make-plan.js';
import type { PlanSource } from './plan-source.js';

/** @param given.gflops the rate that training sustains, in GFLOP/s; null when unknown. */
export function planInputs(given: {
  config: BltConfig;
  recipe: Recipe;
  source: PlanSource;
  gflops: number | null;
}): PlanInputs {
  const { config, recipe, source, gflops } = given;
  return {
    config,
    recipe,
    sourceBytes: source.weightBytes,
    sourceVocabSize: source.config.vocabSize,
    sourceBytesPerWeight: source.bytesPerWeight,
    flopsPerSecond: gflops === null ? null : gflops * 1e9,
  };
}
