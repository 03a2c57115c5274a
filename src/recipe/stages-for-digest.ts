/** @module The stages of a recipe in the form whose digest tells whether they have changed. */
import { withoutAddedKeys } from './added-keys.js';
import { underFirstNames } from './renamed-keys.js';
import type { RecipeStage } from './schema.js';

/** A stage without Muon's keys, which recipes of earlier versions lacked, if AdamW trains it. */
function withoutIdleKeys(stage: RecipeStage): RecipeStage {
  if (stage.kind === 'closed-form' || stage.optimizer !== 'adamw') return stage;
  const { optimizer: _optimizer, muon_learning_rate: _rate, ...rest } = stage;
  return rest as RecipeStage;
}

/** Returns stages as they would have been written first, so that conversions that were started by an earlier version can be resumed. */
export function stagesForDigest(stages: readonly RecipeStage[]): unknown {
  return underFirstNames(stages.map((stage) => withoutAddedKeys(withoutIdleKeys(stage))));
}
