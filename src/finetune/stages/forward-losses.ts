/** @module The losses of the stages that run the whole BLT: the next byte, and the source's next-byte distribution. */
import type { BltConfig } from '../../blt/index.js';
import { BLT_FIELDS, bltForward } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { lossOver, type Objective } from './objective.js';
import { byteLosses, LOSS_METRICS, lossFields, weightedLosses, weightedSum } from './source-losses.js';

/** @param weights of the losses; those of weight 0 are left out. */
export function forwardLosses(
  config: BltConfig,
  weights: StageOf<'join' | 'end-to-end'>['losses'],
): Pick<Objective, 'parts' | 'fields' | 'loss'> {
  const losses = weightedLosses(weights);
  return {
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
