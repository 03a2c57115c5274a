/** @module `byteify patcher`: trains, calibrates and evaluates the patcher. */
import { openConversion } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { evaluatePatcher, segmentationMetrics } from '../evaluate/index.js';
import { calibrateFolder, dataStep, patcherStep, sweepFolder } from '../pipeline/index.js';
import { recipeFor } from '../recipe/index.js';
import { renderPairs, renderTable } from '../ui/index.js';
import { type Command, type CommandGroup, parsers, printResult } from './command.js';
import { renderSweep, sweepDocument } from './patcher/render-sweep.js';
import {
  dataOption,
  type EngineArgs,
  eagerOption,
  engineOptions,
  type RestartArgs,
  recipeOptions,
  restartOption,
  startEngineFor,
  type TrainingArgs,
  textKeyOption,
  trainingOverrides,
} from './shared-options.js';

interface TrainArgs extends TrainingArgs, RestartArgs, EngineArgs {
  readonly dir: string;
  readonly data?: readonly string[];
}

const train: Command<TrainArgs> = {
  name: 'train',
  summary: 'train the entropy model of a conversion and calibrate it',
  arguments: [{ name: 'dir', help: 'a remapped conversion folder' }],
  options: [...recipeOptions, dataOption, restartOption, eagerOption, ...engineOptions],
  examples: ['byteify patcher train llama-blt --recipe llama-3.2-1b --data corpus/'],
  async run(context, args) {
    const conversion = await openConversion(args.dir, { restartFrom: args.restartFrom, signal: context.signal });
    try {
      const recipe = await recipeFor(args.dir, args.recipe, {
        sets: trainingOverrides(args),
        onWarning: context.reporter.warn,
      });
      await startEngineFor(args, recipe.hardware.threads);
      const step = { conversion, recipe, reporter: context.reporter, signal: context.signal };
      const store = await dataStep(step, args.data ?? []);
      await patcherStep(step, store).finally(() => store.close());
      const metrics = conversion.manifest().stages.patcher?.metrics ?? {};
      printResult(context, { folder: conversion.path('patcher'), ...metrics }, () =>
        renderPairs(Object.entries(metrics).map(([name, value]) => [name.replaceAll('_', ' '), value.toFixed(4)])),
      );
    } finally {
      await conversion.close();
    }
  },
};

interface CalibrateArgs extends EngineArgs {
  readonly dir: string;
  readonly targetBytesPerPatch?: number;
  readonly sweep?: readonly number[];
  readonly data?: readonly string[];
  readonly maxBytes: number;
  readonly textKey: string;
}

const calibrate: Command<CalibrateArgs> = {
  name: 'calibrate',
  summary: 'find the threshold that gives a mean patch size on held-out text, and write it to the config',
  arguments: [{ name: 'dir', help: 'a conversion folder with a trained patcher, or a BLT checkpoint folder' }],
  options: [
    {
      flags: '--target-bytes-per-patch <x>',
      help: 'target mean (default: the recipe’s, which is 4.5, or as many patches as the labels of an aligned patcher)',
      parse: parsers.positive,
    },
    {
      flags: '--sweep <x...>',
      help: 'instead: show the thresholds for several targets and how they cut the text; writes nothing',
      parse: parsers.patchSize,
    },
    { ...dataOption, help: 'text to calibrate on (default: the conversion’s held-out text)' },
    textKeyOption,
    { flags: '--max-bytes <n>', help: 'maximum amount of text to use', parse: parsers.byteSize, default: 262_144 },
    ...engineOptions,
  ],
  examples: [
    'byteify patcher calibrate llama-blt',
    'byteify patcher calibrate llama-blt --target-bytes-per-patch 4.5',
    'byteify patcher calibrate llama-blt --sweep 3.5 4.5 6 8',
  ],
  async run(context, args) {
    const { dir, targetBytesPerPatch: target = null, sweep: targets, data = [], maxBytes, textKey } = args;
    if (target !== null && targets !== undefined) {
      throw new UsageError('--sweep writes no threshold, so it does not go with --target-bytes-per-patch.', {
        hint: 'Choose one of them: --sweep to compare, --target-bytes-per-patch to set.',
      });
    }
    await startEngineFor(args);
    const { reporter, signal } = context;
    const texts = { dir, data, textKey, maxBytes, reporter, signal };
    if (targets !== undefined) {
      const sweep = await sweepFolder({ ...texts, targets });
      return printResult(context, sweepDocument(sweep), () => renderSweep(sweep));
    }
    const result = await calibrateFolder({ ...texts, target });
    const document = { threshold_nats: result.threshold, bytes_per_patch: result.bytesPerPatch, config: result.config };
    printResult(context, document, () =>
      renderPairs([
        ['threshold', `${result.threshold.toFixed(4)} nats`],
        ['bytes per patch', result.bytesPerPatch.toFixed(3)],
        ['written to', result.config],
      ]),
    );
  },
};

interface EvaluateArgs extends EngineArgs {
  readonly dir: string;
  readonly data?: readonly string[];
  readonly maxBytes: number;
  readonly textKey: string;
}

/** Columns of the table: the key in the JSON document, and the title. */
const SHOWN = [
  ['cut_precision', 'precision'],
  ['cut_recall', 'recall'],
  ['late_cut_fraction', 'late'],
  ['inside_character_cut_fraction', 'inside characters'],
  ['bytes_per_patch', 'bytes per patch'],
  ['source_bytes_per_token', 'bytes per token'],
  ['patcher_bits_per_byte', 'patcher BPB'],
  ['source_marginal_bits_per_byte', 'source BPB'],
  ['source_in_patches_bits_per_byte', 'in patches'],
  ['fresh_first_byte_bits_per_byte', 'first bytes: fresh'],
  ['stale_first_byte_bits_per_byte', 'stale'],
  ['unread_first_byte_bits_per_byte', 'unread'],
] as const;

const evaluate: Command<EvaluateArgs> = {
  name: 'evaluate',
  summary: 'measure how well patches follow the source’s tokens, and what the source loses by reading patch by patch',
  arguments: [{ name: 'dir', help: 'a conversion folder with a source and a trained patcher' }],
  options: [
    { ...dataOption, help: 'text to measure on; each path is one kind of text (default: the held-out text)' },
    { flags: '--max-bytes <n>', help: 'maximum amount of text per kind', parse: parsers.byteSize, default: 16_384 },
    textKeyOption,
    ...engineOptions,
  ],
  examples: ['byteify patcher evaluate llama-blt --data prose/ technical/'],
  async run(context, args) {
    await startEngineFor(args);
    const { reporter, signal } = context;
    const { dir, data = [], maxBytes, textKey } = args;
    const reports = await evaluatePatcher({ dir, data, textKey, maxBytes, reporter, signal });
    const kinds = reports.map(({ kind, report }) => ({
      kind,
      bytes: report.bytes,
      ...segmentationMetrics(report),
    }));
    printResult(context, { kinds }, () =>
      renderTable(
        [{ title: 'text' }, ...SHOWN.map(([, title]) => ({ title, align: 'right' as const }))],
        kinds.map((row) => [
          row.kind,
          ...SHOWN.map(([key]) => (row as Readonly<Record<string, unknown>>)[key] as number).map((x) => x.toFixed(3)),
        ]),
      ),
    );
  },
};

export const patcher: CommandGroup = {
  name: 'patcher',
  summary: 'train, calibrate and evaluate the entropy model that segments text into patches',
  commands: [train, calibrate, evaluate],
};
