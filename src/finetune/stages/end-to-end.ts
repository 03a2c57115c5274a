/** @module Next-byte training of the whole BLT with a frozen patcher, as in the paper (BLT, arXiv 2412.09871, section 6.2). */
import type { BltConfig, Lora, Part } from '../../blt/index.js';
import { BLT_FIELDS, bltForward } from '../../model/index.js';
import { lossOver, NEXT_BYTE_FIELDS, nextByte, type Objective, objectiveOfStage } from './objective.js';

/**
 * @param frozen the parts that are not trained.
 * @param lora trains adapters instead of the global transformer's own weights.
 */
export function endToEndObjective(config: BltConfig, frozen: readonly Part[], lora: Lora | null = null): Objective {
  return {
    ...objectiveOfStage({ kind: 'end-to-end', frozen, lora: lora ?? undefined }),
    lora,
    ...lossOver([...BLT_FIELDS, ...NEXT_BYTE_FIELDS], (params, batch, options) =>
      nextByte(bltForward(params, config, batch, options), batch),
    ),
  };
}
