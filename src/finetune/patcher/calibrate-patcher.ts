/** @module Calibrates the threshold of either kind of patcher: to a mean patch size, or to the number of cuts in an aligned patcher's labels. */
import type { BltConfig } from '../../blt/index.js';
import { ByteifyError } from '../../errors.js';
import { type Params, patcherOutput } from '../../model/index.js';
import {
  type Alignment,
  boundaryLabels,
  canonicalTexts,
  type PatcherOutput,
  textBatch,
  tokenEnds,
} from '../../patching/index.js';
import type { SourceTokenizer } from '../../tokenizer/index.js';
import { type Calibration, calibrateThreshold } from './pick-threshold.js';

/** Calibrates to the labels of an aligned patcher, which follow this tokenizer. */
export interface LabelGoal {
  readonly alignment: Alignment;
  readonly tokenizer: SourceTokenizer;
}

/** The number of patches that end inside a text according to an aligned patcher's labels. */
function labelCount(
  text: Uint8Array,
  { endProbabilities }: PatcherOutput,
  { alignment, tokenizer }: LabelGoal,
): number {
  if (endProbabilities === null) {
    throw new ByteifyError('The patcher has no token-end head.', {
      hint: 'Only the patcher folder of a conversion contains it. Otherwise set a mean patch size with --target-bytes-per-patch.',
    });
  }
  const { ends } = tokenEnds(text, false, tokenizer);
  // The last patch ends with the text, whatever the label of the last byte is.
  return boundaryLabels(alignment, { bytes: text, ends }, endProbabilities.subarray(1))
    .subarray(0, -1)
    .reduce((sum, label) => sum + label, 0);
}

/** The patcher's output for each text. */
export const patcherOutputs = (params: Params, config: BltConfig, texts: readonly Uint8Array[]): PatcherOutput[] =>
  texts.map((text) => patcherOutput(params, config, textBatch(text)));

/** The entropies from which a threshold is picked: of the prediction of each byte of each text, in nats. */
export const predictedEntropies = (outputs: readonly PatcherOutput[], texts: readonly Uint8Array[]): Float32Array[] =>
  outputs.map(({ entropies }, i) => entropies.subarray(0, texts[i]!.length));

/**
 * Finds the threshold that cuts held-out texts as wanted.
 * @param goal the mean patch size in bytes, or labels: the threshold then makes as many cuts as they have.
 * @throws ByteifyError when no threshold reaches the goal, or the patcher has no token-end head.
 */
export function calibrate(
  params: Params,
  config: BltConfig,
  texts: readonly Uint8Array[],
  goal: number | LabelGoal,
): Calibration {
  const used = typeof goal === 'number' ? texts : canonicalTexts(texts, goal.tokenizer);
  const outputs = patcherOutputs(params, config, used);
  const entropies = predictedEntropies(outputs, used);
  if (typeof goal === 'number') return calibrateThreshold(entropies, { bytesPerPatch: goal });
  const cuts = used.reduce((sum, text, i) => sum + labelCount(text, outputs[i]!, goal), 0);
  return calibrateThreshold(entropies, { cuts });
}

/** A copy of the config with another threshold, in nats. */
export function withThreshold(config: BltConfig, threshold: number): BltConfig {
  return { ...config, patching: { ...config.patching, threshold } };
}
