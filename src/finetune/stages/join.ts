/** @module Stage 1c of a distillation: encoder and decoder are joined through the latent global transformer, which is frozen. */
import type { BltConfig } from '../../blt/index.js';
import { bltForward, patchedOf } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { type Objective, objectiveOfStage } from './objective.js';
import { byteLosses, LOSS_METRICS, weightedLosses, weightedSum } from './source-losses.js';

export function joinObjective(config: BltConfig, stage: StageOf<'join'>): Objective {
  const losses = weightedLosses(stage.losses);
  return {
    ...objectiveOfStage(stage),
    parts: losses.map(({ loss }) => LOSS_METRICS[loss]),
    loss: (params, batch, shape, options) => {
      const logits = bltForward(params, config, patchedOf(batch, shape), options);
      return weightedSum(losses, byteLosses(params, config, batch, logits));
    },
  };
}
