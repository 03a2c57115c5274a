/** @module `byteify finetune`: trains a BLT through the stages of a recipe. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_NAME, openConversion } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { dataStep, finetuneStep } from '../pipeline/index.js';
import { recipeFor } from '../recipe/index.js';
import { renderPairs } from '../ui/index.js';
import { type Command, type Context, printResult } from './command.js';
import { conversionSummary } from './conversion-summary.js';
import { inGroup, type Leading } from './in-group.js';
import {
  dataOption,
  type EngineArgs,
  eagerOption,
  engineOptions,
  type RestartArgs,
  recipeOptions,
  restartOption,
  type TrainingArgs,
  trainingOverrides,
} from './shared-options.js';
import { type WatchArgs, watching, watchOption } from './watching.js';

interface Args extends TrainingArgs, RestartArgs, EngineArgs, WatchArgs {
  readonly dir: string;
  readonly data?: readonly string[];
  readonly out?: string;
}

export const finetuneCommand: Command<Args> = {
  name: 'finetune',
  summary: 'train a BLT through the stages of a recipe',
  arguments: [{ name: 'dir', help: 'a conversion folder with a patcher, or any BLT checkpoint folder (with --out)' }],
  options: [
    ...recipeOptions,
    dataOption,
    { flags: '--out <dir>', help: 'new conversion folder, for training a plain checkpoint folder' },
    restartOption,
    eagerOption,
    watchOption,
    ...engineOptions,
  ],
  examples: [
    'byteify finetune llama-blt --recipe llama-3.2-1b --data corpus/',
    'byteify finetune ./my-blt --recipe my.yaml --data notes/ --out my-blt-tuned',
  ],
  async run(context, args) {
    const isConversion = existsSync(join(args.dir, MANIFEST_NAME));
    const folder = isConversion ? args.dir : args.out;
    if (folder === undefined) {
      throw new UsageError(`${args.dir} is a plain checkpoint folder, so its run needs a folder of its own.`, {
        hint: 'Add --out DIR.',
      });
    }
    await inGroup(context, args, process.env, (leading) => lead(context, args, { folder, isConversion }, leading));
  },
};

async function lead(
  context: Context,
  args: Args,
  { folder, isConversion }: { readonly folder: string; readonly isConversion: boolean },
  { followers, signal, startEngine }: Leading,
): Promise<void> {
  const conversion = await openConversion(folder, { restartFrom: args.restartFrom, signal });
  try {
    const recipe = await recipeFor(folder, args.recipe, {
      sets: trainingOverrides(args),
      way: isConversion ? 'distilled' : 'paper',
      onWarning: context.reporter.warn,
    });
    await startEngine(recipe.hardware.threads);
    const step = { conversion, recipe, reporter: context.reporter, signal, followers };
    const store = await dataStep(step, args.data ?? []);
    await watching(folder, args, context, () =>
      finetuneStep(step, store, isConversion ? null : args.dir).finally(() => store.close()),
    );
    const { export: _unused, ...summary } = conversionSummary(conversion);
    const document = { ...summary, run: conversion.path('finetune') };
    printResult(context, document, () =>
      renderPairs([
        ['bits per byte', summary.bits_per_byte?.toFixed(4) ?? 'unknown'],
        ['source', summary.source_bits_per_byte?.toFixed(4) ?? 'unknown'],
        ['run', document.run],
      ]),
    );
  } finally {
    await conversion.close();
  }
}
