/** @module Stage 1b of a distillation: the decoder learns to read the source's last hidden states, which replace the global transformer's output. */
import type { BltConfig } from '../../blt/index.js';
import { gatherRows } from '../../engine/index.js';
import { bltDecode, bltEncode, DECODER_FIELDS, ENCODER_FIELDS } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { lossOver, type Objective, objectiveOfStage } from './objective.js';
import { byteLosses, embeddingTerm, LOSS_METRICS, lossFields, weightedLosses, weightedSum } from './source-losses.js';

/** The batch fields that encoder and decoder read. */
const FIELDS = [...ENCODER_FIELDS, ...DECODER_FIELDS, 'sourceStates', 'patchState'] as const;

/** @param variance the variance of the source's embeddings, averaged over their channels. */
export function distillDecoderObjective(
  config: BltConfig,
  stage: StageOf<'distill-decoder'>,
  variance: number,
): Objective {
  const objective = objectiveOfStage(stage);
  const { embedding, ...ofBytes } = stage.losses;
  // The embedding loss only trains the encoder: it is left out where the encoder is frozen.
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
