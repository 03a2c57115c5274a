/** @module The next-byte objective of the byte language model that serves as patcher (docs/blt-format.md 2.1). */
import type { BltConfig } from '../../blt/index.js';
import { PATCHER_FIELDS, patcherForward } from '../../model/index.js';
import { lossOver, NEXT_BYTE_FIELDS, nextByte, type Objective, objectiveOfStage } from '../stages/objective.js';

export function patcherObjective(config: BltConfig): Objective {
  return {
    ...objectiveOfStage({ kind: 'patcher' }),
    ...lossOver([...PATCHER_FIELDS, ...NEXT_BYTE_FIELDS], (params, batch, options) =>
      nextByte(patcherForward(params, config.patcher, batch, options), batch),
    ),
  };
}
