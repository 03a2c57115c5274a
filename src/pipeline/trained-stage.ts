/** @module Which training of a conversion is kept, so that what it was trained with must not change. */
import { type Conversion, STAGE_NAMES } from '../conversion/index.js';

const TRAINING = ['patcher', 'finetune'] as const;

/** The first training stage that has begun and that `--restart-from` does not redo; null if there is none. */
export function trainedStage(conversion: Conversion): (typeof TRAINING)[number] | null {
  const restart = conversion.restartFrom();
  const trained = TRAINING.find((stage) => conversion.manifest().stages[stage] !== undefined);
  if (trained === undefined) return null;
  const redone = restart !== null && STAGE_NAMES.indexOf(restart) <= STAGE_NAMES.indexOf(trained);
  return redone ? null : trained;
}
