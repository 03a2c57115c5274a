/**
 * @module Training of the whole BLT with a frozen patcher: on the next byte, as in the paper (BLT, arXiv 2412.09871, section 6.2), and if wanted on
 * the source's next-byte distribution.
 */
import type { BltConfig, Lora, Part } from '../../blt/index.js';
import type { StageOf } from '../../recipe/index.js';
import { forwardLosses } from './forward-losses.js';
import { type Objective, objectiveOfStage } from './objective.js';

/** The losses of the paper: the next byte alone. */
const NEXT_BYTE = { cross_entropy: 1, prefix_kl: 0 } as const;

export interface EndToEndSettings {
  /** The parts that are not trained. */
  readonly frozen: readonly Part[];
  /** Trains adapters instead of the global transformer's own weights. */
  readonly lora?: Lora | undefined;
  /** Their weights; by default only the next byte counts. */
  readonly losses?: StageOf<'end-to-end'>['losses'];
}

export function endToEndObjective(
  config: BltConfig,
  { frozen, lora, losses = NEXT_BYTE }: EndToEndSettings,
): Objective {
  return {
    ...objectiveOfStage({ kind: 'end-to-end', frozen, lora, losses }),
    lora: lora ?? null,
    ...forwardLosses(config, losses),
  };
}
