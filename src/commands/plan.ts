/** @module `byteify plan`: predicts the cost of a conversion, stage by stage, before anything runs. */

import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { TARGET_NAMES, type Target } from '../accelerator/targets.js';
import { bltConfigFor } from '../blt/index.js';
import { MANIFEST_NAME } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { writeFileAtomic } from '../fs/index.js';
import { locateModel } from '../import/index.js';
import {
  divideBudget,
  hubPlanSource,
  inferenceText,
  localPlanSource,
  makePlan,
  type Plan,
  type PlanSource,
  planInputs,
  renderBudget,
  sbatchScript,
  sustainedGflops,
} from '../plan/index.js';
import { isOverridden, loadRecipeOrDefault, localSizesOf, type Recipe } from '../recipe/index.js';
import { humanBytes } from '../ui/index.js';
import { type Command, type Context, parsers, printResult } from './command.js';
import { compileForTarget, renderTarget, type TargetOptions, targetDocument } from './plan/compile-for-target.js';
import { planDocument } from './plan/plan-document.js';
import { renderPlan } from './plan/render-plan.js';
import { checkScaleOptions, type ScaleArgs, scaleOptions } from './plan/scale-options.js';
import { showScale } from './plan/show-scale.js';
import {
  type BudgetArgs,
  budgetOption,
  dataOption,
  devicesOption,
  fullyShardedOption,
  type RecipeArgs,
  recipeOptions,
} from './shared-options.js';

interface Args extends RecipeArgs, BudgetArgs, ScaleArgs {
  readonly model?: string;
  readonly data?: readonly string[];
  readonly gflops?: number;
  readonly target?: Target;
  readonly devices?: number;
  readonly fullySharded?: boolean;
  readonly sbatch?: string;
  readonly nodes?: number;
}

export const plan: Command<Args> = {
  name: 'plan',
  summary: 'predict parameters, FLOPs, memory, disk and time of each stage, before anything runs',
  arguments: [
    {
      name: 'model',
      help: 'hub id, transformers folder (its config.json is enough) or .gguf file (default: the recipe’s)',
      optional: true,
    },
  ],
  options: [
    ...recipeOptions,
    budgetOption,
    {
      ...dataOption,
      help: 'with --budget: text to train on, which limits how often it is read; only file sizes are used',
    },
    {
      flags: '--gflops <rate>',
      help: 'GFLOP/s that training sustains (default: 0.6 times the rate that byteify setup measured)',
      parse: parsers.positive,
    },
    {
      flags: '--target <gpu>',
      help: 'compile each stage for this GPU, which need not be present, and print what the compiler says (260 MB to download; minutes)',
      choices: TARGET_NAMES,
    },
    { flags: '--devices <n>', help: 'with --target: how many of these GPUs (default: 1)', parse: devicesOption.parse! },
    { ...fullyShardedOption, help: `with --target: ${fullyShardedOption.help}` },
    ...scaleOptions,
    { flags: '--sbatch <file>', help: 'also write a SLURM batch script that runs the conversion; it needs --data' },
    { flags: '--nodes <n>', help: 'with --sbatch: how many machines (default: 1)', parse: parsers.integer(1, 4096) },
  ],
  examples: [
    'byteify plan HuggingFaceTB/SmolLM2-135M --recipe smollm2-135m',
    'byteify plan HuggingFaceTB/SmolLM2-135M --recipe smollm2-135m --budget 8h --data corpus/',
    'byteify plan ./Llama-3.2-1B --recipe llama-3.2-1b --gflops 400000 --json',
    'byteify plan meta-llama/Llama-3.1-8B --recipe llama-3.1-8b --target h100 --devices 8 --fully-sharded',
    'byteify plan ./Llama-3.2-1B --recipe llama-3.2-1b --data corpus/ --nodes 4 --sbatch convert.sh',
    'byteify plan --recipe tiny --scale',
    'byteify plan ./Llama-3.2-1B --recipe llama-3.2-1b --scale --flops-per-byte 2G --bytes-per-patch 4.5 6 8 --svg scale.svg',
  ],
  async run(context, args) {
    checkScaleOptions(args);
    checkSbatchOptions(args);
    const recipe = await loadRecipeOrDefault(args.recipe, { sets: args.set, onWarning: context.reporter.warn });
    const model = args.model ?? recipe.source?.model;
    if (model === undefined) {
      throw new UsageError('No model was named.', {
        hint: 'Give a hub id, a folder or a .gguf file, or a recipe with source.model.',
      });
    }
    const source = await findSource(context, model);
    const config = bltConfigFor(source.config, localSizesOf(source.config, recipe));
    if (args.scale === true) return showScale(context, args, { model, config, text: inferenceText(recipe, config) });
    const gflops = args.gflops ?? sustainedGflops();
    const inputs = planInputs({ config, recipe, source, gflops });
    const { budget } = args;
    const divided =
      budget === undefined
        ? null
        : divideBudget({
            ...inputs,
            budget,
            textBytes: await trainingBytes(context, model, recipe, args.data),
            isSet: isOverridden(args.set),
          });
    const made = makePlan({ ...inputs, recipe: divided?.recipe ?? recipe });
    const onTarget = targetOptions(args);
    if (onTarget === null) await warnOfLimits(context, made);
    const compiled =
      onTarget === null ? null : await compileForTarget(context, divided?.recipe ?? recipe, source.config, onTarget);
    if (args.sbatch !== undefined) await writeSbatch(args, { model, recipe, made });
    const document = {
      ...planDocument(made, { model, gflops, divided }),
      ...(compiled !== null && { compiled: targetDocument(compiled, onTarget!) }),
    };
    printResult(context, document, () => {
      const steps = divided === null ? '' : `${renderBudget(budget!, divided, inputs.flopsPerSecond)}\n`;
      const table = compiled === null ? '' : `\n${renderTarget(compiled, onTarget!)}`;
      return steps + renderPlan(made, { model, gflops }) + table;
    });
  },
};

/** @throws UsageError for options that do not go together */
function checkSbatchOptions({ sbatch, nodes, data }: Args): void {
  if (sbatch === undefined && nodes !== undefined)
    throw new UsageError('--nodes needs a batch script to write.', { hint: 'Add --sbatch FILE.' });
  if (sbatch !== undefined && data === undefined)
    throw new UsageError('--sbatch needs the text that the job will read.', { hint: 'Add --data PATH.' });
}

/** Writes a batch script for the same conversion. */
async function writeSbatch(
  { sbatch, nodes = 1, recipe: named, set, data, budget }: Args,
  { model, recipe, made }: { readonly model: string; readonly recipe: Recipe; readonly made: Plan },
): Promise<void> {
  const words = [
    ...['byteify', 'convert', model],
    ...(named === undefined ? [] : ['--recipe', named]),
    ...set.flatMap((each) => ['--set', each]),
    ...['--data', ...data!],
    ...(budget === undefined ? [] : ['--budget', budget.text]),
  ];
  await writeFileAtomic(sbatch!, sbatchScript({ recipe, plan: made, nodes, words }));
}

/** @throws UsageError for options that only count with a target */
function targetOptions({ target, devices = 1, fullySharded = false }: Args): TargetOptions | null {
  if (target !== undefined) return { target, devices, fullySharded };
  if (devices === 1 && !fullySharded) return null;
  throw new UsageError('--devices and --fully-sharded need a GPU to plan for.', {
    hint: `Add --target ${TARGET_NAMES[0]}.`,
  });
}

/** Warns about a lack of memory or disk here, since the machine that plans usually runs the conversion too. */
async function warnOfLimits({ reporter }: Context, made: Plan): Promise<void> {
  if (made.memoryBytes > totalmem()) {
    reporter.warn(
      `Training needs ${humanBytes(made.memoryBytes)} of memory, but this machine has ${humanBytes(totalmem())}: lower micro_batch_size, or set gradient_checkpointing.`,
    );
  }
  const { bavail, bsize } = await statfs('.');
  if (made.diskBytes > bavail * bsize) {
    reporter.warn(
      `All stages together need ${humanBytes(made.diskBytes)} of disk, but only ${humanBytes(bavail * bsize)} are free here.`,
    );
  }
}

/** Bytes of text to train on: of a conversion that has read its text, or estimated from the sizes of the files; null without either. */
async function trainingBytes(
  { signal }: Context,
  model: string,
  recipe: Recipe,
  paths: readonly string[] | undefined,
): Promise<number | null> {
  const { openStore, textOf } = await import('../data/index.js');
  const { dataPaths, filesOf } = await import('../pipeline/index.js');
  if (paths !== undefined) {
    const files = await filesOf(dataPaths(paths, recipe), recipe, signal);
    const text = files.filter(({ domain }) => recipe.data.domains?.[domain]?.kind !== 'bytes');
    const bytes = text.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    return Math.max(1, Math.round(bytes * (1 - recipe.data.validation_fraction)));
  }
  const read = join(model, 'data');
  if (!existsSync(join(read, 'data.json'))) return null;
  const store = await openStore(read);
  const { byteCount } = textOf(store.train);
  await store.close();
  return byteCount;
}

async function findSource({ signal }: Context, model: string): Promise<PlanSource> {
  if (existsSync(join(model, MANIFEST_NAME))) return localPlanSource(join(model, 'source'));
  // Only a local model is located: a plan downloads no weights from the hub.
  if (existsSync(model) || model.startsWith('builtin:')) return localPlanSource((await locateModel(model)).path);
  return hubPlanSource(model, signal);
}
