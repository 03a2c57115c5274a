/** @module Stage 1a of a distillation: the encoder learns the source's token embeddings. */
import type { BltConfig } from '../../blt/index.js';
import type { tf } from '../../engine/index.js';
import { bltEncode, patchedOf } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { type Objective, objectiveOfStage } from './objective.js';
import { encoderLoss, LOSS_METRICS } from './source-losses.js';

/** @param variance mean over channels of the embeddings' variance. */
export function alignEncoderObjective(config: BltConfig, stage: StageOf<'align-encoder'>, variance: number): Objective {
  return {
    ...objectiveOfStage(stage),
    weights: 'patchWeight',
    parts: [LOSS_METRICS.embedding],
    loss: (params, batch, shape, options) => {
      const { patches } = bltEncode(params, config, patchedOf(batch, shape), options);
      const value = encoderLoss(params, patches, batch, variance) as tf.Scalar;
      return { value, parts: [value] };
    },
  };
}
