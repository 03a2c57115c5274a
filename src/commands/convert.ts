/** @module `byteify convert`: runs import, remap, patcher, finetune and export. */
import { type Conversion, openConversion } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { convert } from '../pipeline/index.js';
import { isOverridden, type Recipe, recipeFor } from '../recipe/index.js';
import { renderPairs } from '../ui/index.js';
import { type Command, type Context, printResult } from './command.js';
import { conversionSummary, summaryLines } from './conversion-summary.js';
import { inGroup, type Leading } from './in-group.js';
import {
  type BudgetArgs,
  budgetOption,
  dataOption,
  type EngineArgs,
  eagerOption,
  engineOptions,
  modelAt,
  type RestartArgs,
  recipeOptions,
  restartOption,
  revisionOption,
  type TrainingArgs,
  trainingOverrides,
} from './shared-options.js';
import { type WatchArgs, watching, watchOption } from './watching.js';

interface Args extends TrainingArgs, RestartArgs, EngineArgs, BudgetArgs, WatchArgs {
  readonly model?: string;
  readonly revision?: string;
  readonly data?: readonly string[];
  readonly out: string;
}

export const convertCommand: Command<Args> = {
  name: 'convert',
  summary: 'convert a Llama into a BLT: import, remap, patcher, finetune, export',
  arguments: [
    {
      name: 'model',
      help: 'hub id (org/name[@revision]), folder or .gguf file (default: the recipe’s)',
      optional: true,
    },
  ],
  options: [
    ...recipeOptions,
    revisionOption,
    dataOption,
    budgetOption,
    { flags: '--out <dir>', help: 'the conversion folder; run the same command again to resume', required: true },
    restartOption,
    eagerOption,
    watchOption,
    ...engineOptions,
  ],
  examples: [
    'byteify convert meta-llama/Llama-3.2-1B --recipe llama-3.2-1b --data corpus/ --out llama-blt',
    'byteify convert smollm2.gguf --recipe smollm2-135m --data books/ --out smollm2-blt --budget 1h',
    'byteify convert smollm2.gguf --recipe smollm2-135m --data books.jsonl.gz --out smollm2-blt --set stages.1.steps=200',
  ],
  async run(context, args) {
    const recipe = await recipeFor(args.out, args.recipe, {
      sets: trainingOverrides(args),
      onWarning: context.reporter.warn,
    });
    const named = args.model ?? recipe.source?.model;
    if (named === undefined) {
      throw new UsageError('No model was named.', {
        hint: 'Give a hub id, a folder or a .gguf file, or a recipe with source.model.',
      });
    }
    const model = modelAt(named, args.revision);
    await inGroup(context, args, process.env, (leading) => lead(context, args, { recipe, model }, leading));
  },
};

async function lead(
  context: Context,
  args: Args,
  { recipe, model }: { readonly recipe: Recipe; readonly model: string },
  { followers, signal, startEngine }: Leading,
): Promise<void> {
  await startEngine(recipe.hardware.threads);
  const conversion: Conversion = await openConversion(args.out, { restartFrom: args.restartFrom, signal });
  try {
    const { reporter } = context;
    const budget = args.budget === undefined ? null : { budget: args.budget, isSet: isOverridden(args.set) };
    await watching(args.out, args, context, () =>
      convert({ conversion, recipe, reporter, signal, followers }, model, args.data ?? [], budget),
    );
    const summary = conversionSummary(conversion);
    printResult(context, summary, () => renderPairs(summaryLines(summary)));
  } finally {
    await conversion.close();
  }
}
