/** @module Divides a budget of FLOPs among the patcher and the stages of a recipe. */
import { closedFormText } from '../../blt/index.js';
import { UsageError } from '../../errors.js';
import { type Recipe, wantedTexts } from '../../recipe/index.js';
import { humanDuration, humanFlops } from '../../ui/index.js';
import { makePlan, type PlanInputs } from '../make-plan.js';
import type { StageCost } from '../training-stage.js';
import { type ChosenSteps, chooseSteps, leastFlops, type SteppedStage } from './choose-steps.js';
import { type Budget, budgetFlops } from './parse-budget.js';
import { type IsSet, recipeWithSteps } from './recipe-with-steps.js';

export interface DividedBudget {
  /** The recipe with the chosen steps. */
  readonly recipe: Recipe;
  readonly flops: number;
  /** FLOPs that no stage can use, because each has read the text as often as is useful. */
  readonly unspentFlops: number;
  /** Bytes of training text; null when unknown. */
  readonly textBytes: number | null;
  /** The cost of the patcher's training and of each stage, with the chosen steps. */
  readonly stages: readonly StageCost[];
}

/** A stage that reads no more than the text that there is, where its recipe says how much it reads. */
function limitedTo(trainBytes: number, stage: Recipe['stages'][number]): Recipe['stages'][number] {
  if (stage.kind !== 'closed-form') return stage;
  const { textBytes, solveBytes, ngramBytes } = closedFormText(wantedTexts(stage), trainBytes);
  return { ...stage, text_bytes: textBytes, solve_bytes: solveBytes, ngram_bytes: ngramBytes };
}

/** The costs of the patcher's training, first, and of each stage. */
function stageCosts(inputs: PlanInputs, recipe: Recipe, textBytes: number | null): StageCost[] {
  const stages = textBytes === null ? recipe.stages : recipe.stages.map((stage) => limitedTo(textBytes, stage));
  return makePlan({ ...inputs, recipe: { ...recipe, stages } }).stages.flatMap(({ training }) => training ?? []);
}

/** The patcher and the stages of a recipe, with the path of each in the recipe. */
const sectionsOf = ({ stages }: Recipe) => [
  { kind: 'patcher', path: 'patcher' } as const,
  ...stages.map(({ kind }, i) => ({ kind, path: `stages.${i}` })),
];

/**
 * Chooses the steps of the patcher and of each stage for a budget. Closed forms, and stages whose steps were set explicitly, are paid first.
 * @param params.textBytes bytes of training text; null when unknown, which limits nothing
 * @param params.isSet which keys of the recipe were set explicitly
 * @throws UsageError when the budget is a time and the machine's rate is unknown, when it is too small for every stage to take a step, or when
 * all steps were set explicitly
 */
export function divideBudget(
  params: PlanInputs & { readonly budget: Budget; readonly textBytes: number | null; readonly isSet: IsSet },
): DividedBudget {
  const { budget, textBytes, isSet, ...inputs } = params;
  const { recipe, flopsPerSecond } = inputs;
  const flops = budgetFlops(budget, flopsPerSecond);
  const costs = stageCosts(inputs, recipe, textBytes);
  const sections = sectionsOf(recipe).map((section, i) => ({ ...section, cost: costs[i]! }));
  const free = sections.flatMap(({ kind, path, cost }): (SteppedStage & { path: string })[] =>
    kind === 'closed-form' || isSet(`${path}.steps`)
      ? []
      : [{ kind, path, stepFlops: cost.flops / cost.steps, stepBytes: cost.bytes / cost.steps }],
  );
  if (free.length === 0) {
    throw new UsageError('The steps of every stage are set, so --budget has nothing to choose.', {
      hint: 'Leave out --budget, or the --set of one stage’s steps.',
    });
  }
  const chosenPaths = free.map(({ path }) => path);
  const fixed = sections
    .filter(({ path }) => !chosenPaths.includes(path))
    .reduce((sum, { cost }) => sum + cost.flops, 0);
  const least = fixed + leastFlops(free);
  if (flops < least) throw tooSmall({ budget, flops, fixed, least, flopsPerSecond });
  const { steps, unspentFlops }: ChosenSteps = chooseSteps(free, flops - fixed, textBytes);
  const stepsAt = (path: string) => steps[chosenPaths.indexOf(path)] ?? null;
  const divided = recipeWithSteps(
    recipe,
    { patcher: stepsAt('patcher'), stages: recipe.stages.map((_, i) => stepsAt(`stages.${i}`)) },
    isSet,
  );
  return { recipe: divided, flops, unspentFlops, textBytes, stages: stageCosts(inputs, divided, textBytes) };
}

/** Rounded up to two significant digits, so that the number that is shown is enough. */
function roundedUp(amount: number): number {
  const unit = 10 ** (Math.floor(Math.log10(amount)) - 1);
  return Math.ceil(amount / unit) * unit;
}

function tooSmall(params: {
  budget: Budget;
  flops: number;
  fixed: number;
  least: number;
  flopsPerSecond: number | null;
}): UsageError {
  const { budget, flops, fixed, flopsPerSecond } = params;
  const least = roundedUp(params.least);
  const time = flopsPerSecond === null ? '' : ` (${humanDuration(least / flopsPerSecond)})`;
  const paidFirst = `Closed forms and stages whose steps were set take ${humanFlops(fixed)}`;
  const why = `${fixed === 0 ? 'Every' : `${paidFirst}, and every other`} stage takes at least one step within its share.`;
  return new UsageError(`--budget ${budget.text} is too small: it is ${humanFlops(flops)}.`, {
    hint: `Give at least ${humanFlops(least)}${time}. ${why}`,
  });
}
