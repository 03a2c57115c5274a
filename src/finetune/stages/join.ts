/** @module Stage 1c of a distillation: encoder and decoder are trained together through the frozen global transformer. */
import type { BltConfig } from '../../blt/index.js';
import { BLT_FIELDS, bltForward } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { lossOver, type Objective, objectiveOfStage } from './objective.js';
import { byteLosses, LOSS_METRICS, lossFields, weightedLosses, weightedSum } from './source-losses.js';

export function joinObjective(config: BltConfig, stage: StageOf<'join'>): Objective {
  const losses = weightedLosses(stage.losses);
  return {
    ...objectiveOfStage(stage),
    parts: losses.map(({ loss }) => LOSS_METRICS[loss]),
    ...lossOver(
      BLT_FIELDS,
      (params, batch, options) => {
        const logits = bltForward(params, config, batch, options);
        return weightedSum(losses, byteLosses(params, config, batch, logits));
      },
      lossFields(losses),
    ),
  };
}
