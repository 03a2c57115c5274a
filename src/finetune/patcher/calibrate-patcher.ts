/** @module The threshold of a patcher of either kind: by a wanted mean patch size, or as an aligned patcher's labels have it. */
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

/** The labels of an aligned patcher, and the tokenizer that they follow. */
export interface LabelGoal {
  readonly alignment: Alignment;
  readonly tokenizer: SourceTokenizer;
}

/** How many patches an aligned patcher's labels would close inside a text. */
function labelCount(
  text: Uint8Array,
  { endProbabilities }: PatcherOutput,
  { alignment, tokenizer }: LabelGoal,
): number {
  if (endProbabilities === null) {
    throw new ByteifyError('The patcher has no head that tells where tokens end.', {
      hint: 'Only the patcher folder of a conversion has it; give a mean patch size with --target-bytes-per-patch.',
    });
  }
  const { ends } = tokenEnds(text, false, tokenizer);
  // What would close at the last byte closes with the text.
  return boundaryLabels(alignment, ends, endProbabilities.subarray(1))
    .subarray(0, -1)
    .reduce((sum, label) => sum + label, 0);
}

/**
 * The threshold that cuts held-out texts as wanted.
 * @param goal bytes a patch, or labels: then as many cuts as those have.
 */
export function calibrate(
  params: Params,
  config: BltConfig,
  texts: readonly Uint8Array[],
  goal: number | LabelGoal,
): Calibration {
  const used = typeof goal === 'number' ? texts : canonicalTexts(texts, goal.tokenizer);
  const outputs = used.map((text) => patcherOutput(params, config, textBatch(text)));
  const entropies = outputs.map((output, i) => output.entropies.subarray(0, used[i]!.length));
  if (typeof goal === 'number') return calibrateThreshold(entropies, { bytesPerPatch: goal });
  const cuts = used.reduce((sum, text, i) => sum + labelCount(text, outputs[i]!, goal), 0);
  return calibrateThreshold(entropies, { cuts });
}

/** The same model with another threshold. */
export function withThreshold(config: BltConfig, threshold: number): BltConfig {
  return { ...config, patching: { ...config.patching, threshold } };
}
