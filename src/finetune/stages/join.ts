/** @module Stage 1c of a distillation: encoder and decoder are trained together through the frozen global transformer. */
import type { BltConfig } from '../../blt/index.js';
import type { StageOf } from '../../recipe/index.js';
import { forwardLosses } from './forward-losses.js';
import { type Objective, objectiveOfStage } from './objective.js';

export function joinObjective(config: BltConfig, stage: StageOf<'join'>): Objective {
  return { ...objectiveOfStage(stage), ...forwardLosses(config, stage.losses) };
}
