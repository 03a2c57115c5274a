/** @module Stage 1b of a distillation: the source's last states stand in the latent global transformer's place, and the decoder learns to read them. */
import type { BltConfig } from '../../blt/index.js';
import { gatherRows } from '../../engine/index.js';
import { bltDecode, bltEncode, patchedOf } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { type Objective, objectiveOfStage } from './objective.js';
import { byteLosses, encoderLoss, LOSS_METRICS, weightedLosses, weightedSum } from './source-losses.js';

/** @param variance mean over channels of the embeddings' variance. */
export function distillDecoderObjective(
  config: BltConfig,
  stage: StageOf<'distill-decoder'>,
  variance: number,
): Objective {
  const objective = objectiveOfStage(stage);
  const { embedding, ...ofBytes } = stage.losses;
  // A frozen encoder has nothing to learn.
  const losses = weightedLosses({ ...ofBytes, ...(objective.targets.includes('encoder') && { embedding }) });
  return {
    ...objective,
    parts: losses.map(({ loss }) => LOSS_METRICS[loss]),
    loss: (params, batch, shape, options) => {
      const patched = patchedOf(batch, shape);
      const encoded = bltEncode(params, config, patched, options);
      const states = gatherRows(batch.sourceStates!, batch.patchState!);
      const logits = bltDecode(params, config, patched, { bytes: encoded.bytes, patches: states }, options);
      return weightedSum(losses, {
        ...byteLosses(params, config, batch, logits),
        embedding: () => encoderLoss(params, encoded.patches, batch, variance),
      });
    },
  };
}
