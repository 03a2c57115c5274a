/** @module The stages of a recipe in the form whose digest tells whether they have changed. */
import { underFirstNames } from './renamed-keys.js';
import type { RecipeStage } from './schema.js';

/** A stage without keys that have no effect and that recipes of earlier versions lacked. */
function withoutIdleKeys(stage: RecipeStage): object {
  if (stage.kind === 'closed-form' || stage.optimizer !== 'adamw') return stage;
  const { optimizer: _optimizer, muon_learning_rate: _rate, ...rest } = stage;
  return rest;
}

/** Returns stages as they would have been written first, so that conversions that were started by an earlier version can be resumed. */
export function stagesForDigest(stages: readonly RecipeStage[]): unknown {
  return underFirstNames(stages.map(withoutIdleKeys));
}
