/** @module Stage 1b of a distillation: the source's last states stand in the latent global transformer's place, and the decoder learns to read them. */
import type { BltConfig } from '../../blt/index.js';
import { gatherRows } from '../../engine/index.js';
import { bltDecode, bltEncode, DECODER_FIELDS, ENCODER_FIELDS } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { lossOver, type Objective, objectiveOfStage } from './objective.js';
import { byteLosses, embeddingTerm, LOSS_METRICS, lossFields, weightedLosses, weightedSum } from './source-losses.js';

/** What the decoder is run on. */
const FIELDS = [...ENCODER_FIELDS, ...DECODER_FIELDS, 'sourceStates', 'patchState'] as const;

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
    ...lossOver(
      FIELDS,
      (params, batch, options) => {
        const encoded = bltEncode(params, config, batch, options);
        const states = gatherRows(batch.sourceStates, batch.patchState);
        const logits = bltDecode(params, config, batch, { bytes: encoded.bytes, patches: states }, options);
        return weightedSum(losses, {
          ...byteLosses(params, config, batch, logits),
          embedding: () => embeddingTerm(params, encoded.patches, batch, variance),
        });
      },
      lossFields(losses),
    ),
  };
}
