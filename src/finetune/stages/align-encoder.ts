/** @module Stage 1a of a distillation: the encoder learns to reproduce the source's token embeddings (docs/distillation.md). */
import type { BltConfig } from '../../blt/index.js';
import { bltEncode, ENCODER_FIELDS } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { lossOver, type Objective, objectiveOfStage } from './objective.js';
import { embeddingTerm, LOSS_FIELDS, LOSS_METRICS } from './source-losses.js';

/** @param variance the variance of the source's embeddings, averaged over their channels. */
export function alignEncoderObjective(config: BltConfig, stage: StageOf<'align-encoder'>, variance: number): Objective {
  return {
    ...objectiveOfStage(stage),
    weights: 'patchWeight',
    parts: [LOSS_METRICS.embedding],
    ...lossOver([...ENCODER_FIELDS, ...LOSS_FIELDS.embedding], (params, batch, options) => {
      const { patches } = bltEncode(params, config, batch, options);
      const value = embeddingTerm(params, patches, batch, variance);
      return { value, parts: [value] };
    }),
  };
}
