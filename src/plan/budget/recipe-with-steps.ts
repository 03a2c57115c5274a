/** @module A recipe with other numbers of steps. */
import type { Recipe, TrainingStage } from '../../recipe/index.js';

/** Tells whether a key, such as `stages.1.steps`, was set explicitly. */
export type IsSet = (path: string) => boolean;

/** Keys that count steps, with their smallest values. They keep their ratio to a stage's steps. */
const FOLLOWING = { warmup_steps: 0, validate_every: 1, checkpoint_every: 1 } as const;
type Following = keyof typeof FOLLOWING;

/** A section with other steps. Keys that were set explicitly stay as they are. */
function withSteps<Section extends Pick<TrainingStage, 'steps'> & Partial<Record<Following, number>>>(
  section: Section,
  steps: number,
  isSet: IsSet,
): Section {
  const ratio = steps / section.steps;
  const following = (Object.entries(FOLLOWING) as [Following, number][]).flatMap(([key, least]) => {
    const value = section[key];
    return value === undefined || isSet(key) ? [] : [[key, Math.max(least, Math.round(value * ratio))] as const];
  });
  return { ...section, ...Object.fromEntries(following), steps };
}

/**
 * A recipe whose patcher and stages take other numbers of steps. Warm-ups and the intervals of evaluations and checkpoints change in proportion.
 * @param steps of the patcher and of each stage; null leaves a section as it is
 */
export function recipeWithSteps(
  recipe: Recipe,
  steps: { readonly patcher: number | null; readonly stages: readonly (number | null)[] },
  isSet: IsSet,
): Recipe {
  const under = (path: string) => (key: string) => isSet(`${path}.${key}`);
  return {
    ...recipe,
    patcher: steps.patcher === null ? recipe.patcher : withSteps(recipe.patcher, steps.patcher, under('patcher')),
    stages: recipe.stages.map((stage, i) => {
      const count = steps.stages[i] ?? null;
      return count === null || stage.kind === 'closed-form' ? stage : withSteps(stage, count, under(`stages.${i}`));
    }),
  };
}
