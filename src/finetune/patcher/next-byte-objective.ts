/** @module The next-byte loss of the byte language model that becomes the patcher (blt-format 2.1). */
import type { BltConfig } from '../../blt/index.js';
import { patcherForward } from '../../model/index.js';
import { nextByte, type Objective, objectiveOfStage } from '../stages/objective.js';

export function patcherObjective(config: BltConfig): Objective {
  return {
    ...objectiveOfStage({ kind: 'patcher' }),
    loss: (params, batch, shape, options) => {
      const bytes = { ...shape, ids: batch.ids!, documents: batch.documents! };
      return nextByte(patcherForward(params, config.patcher, bytes, options), batch);
    },
  };
}
