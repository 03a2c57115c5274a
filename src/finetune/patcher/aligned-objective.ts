/**
 * @module The objective of an aligned patcher: to predict the next byte and the ends of the source's tokens, and to be uncertain where a patch
 * must end (docs/distillation.md).
 */
import type { BltConfig } from '../../blt/index.js';
import { tf } from '../../engine/index.js';
import {
  entropyOf,
  PATCHER_FIELDS,
  patcherHead,
  patcherHidden,
  tokenEndHead,
  tokenEndLogits,
} from '../../model/index.js';
import type { Alignment } from '../../patching/index.js';
import { binaryCrossEntropySum } from '../losses/binary-cross-entropy.js';
import { boundaryLoss } from '../losses/boundary-loss.js';
import {
  byteCrossEntropy,
  CROSS_ENTROPY,
  lossOver,
  NEXT_BYTE_FIELDS,
  type Objective,
  objectiveOfStage,
} from '../stages/objective.js';
import { boundaryTargets } from './boundary-targets.js';

export interface AlignedSettings extends Alignment {
  readonly boundaryWeight: number;
  /** Nats. */
  readonly boundaryTemperature: number;
  /** The folder of the source's tokenizer. */
  readonly tokenizerFolder: string;
}

/** Nats. Training pushes the entropy above or below this value; the patcher's threshold is calibrated afterwards. */
export const TRAINING_THRESHOLD = 3;

const FIELDS = [...PATCHER_FIELDS, ...NEXT_BYTE_FIELDS, 'tokenEnds', 'tokenEndWeights'] as const;

/** The sum of three cross-entropies in nats: of the next byte, of token ends, and of whether the entropy is on the right side of the threshold. */
export function alignedPatcherObjective(config: BltConfig, settings: AlignedSettings): Objective {
  const { boundaryWeight, boundaryTemperature: temperature, tokenizerFolder } = settings;
  const head = tokenEndHead(config);
  return {
    ...objectiveOfStage({ kind: 'patcher' }),
    extraTensors: [head],
    parts: [CROSS_ENTROPY, 'token_end', 'boundary'],
    labels: { tokenizerFolder },
    ...lossOver(FIELDS, (params, batch, options) => {
      const hidden = patcherHidden(params, config.patcher, batch, options);
      const logits = patcherHead(params, hidden);
      const endLogits = tokenEndLogits(params, hidden);
      const { labels, weights } = boundaryTargets(settings, batch, endLogits);
      const boundary = { threshold: TRAINING_THRESHOLD, temperature };
      const next = byteCrossEntropy(logits, batch);
      const ends = binaryCrossEntropySum(endLogits, batch.tokenEnds, batch.tokenEndWeights) as tf.Scalar;
      const cuts = boundaryLoss(entropyOf(logits), labels, weights, boundary) as tf.Scalar;
      const value = tf.addN([next, ends, tf.mul(cuts, boundaryWeight)]) as tf.Scalar;
      return { value, parts: [next, ends, cuts] };
    }),
  };
}
