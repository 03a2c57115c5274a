// The plan of a recipe for a source of given sizes, without what only a disk or a clock decides.
import { bltConfigFor } from '../../dist/blt/index.js';
import { makePlan } from '../../dist/plan/index.js';
import { localSizesOf } from '../../dist/recipe/index.js';

/** The training stages, the patcher's first. */
export function trainingsOf(recipe, source) {
  const plan = makePlan({
    ...{ recipe, config: bltConfigFor(source, localSizesOf(source, recipe)), sourceBytes: 0 },
    ...{ sourceVocabSize: source.vocabSize, sourceBytesPerWeight: 2, flopsPerSecond: null },
  });
  return plan.stages.flatMap(({ training }) => training ?? []);
}
