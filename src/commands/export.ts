/** @module `byteify export`: writes the checkpoint that transformers loads. */

import { basename, resolve } from 'node:path';
import { parse } from 'yaml';
import { openConversion, readManifest, resolveCheckpoint } from '../conversion/index.js';
import { chooseDevice } from '../engine/setup/devices.js';
import { locateEngine } from '../engine/setup/locate.js';
import { UsageError } from '../errors.js';
import { exportTransformers } from '../export/index.js';
import { removeAtomic } from '../fs/index.js';
import { recipeFor } from '../recipe/index.js';
import { metadataFiles } from '../release/index.js';
import { humanBytes, humanCount, renderPairs } from '../ui/index.js';
import { type Command, type Context, type OptionSpec, parsers, printResult } from './command.js';
import type { ExportArgs } from './export/args.js';
import { handOver, refuseTrainingOptions } from './export/hand-over.js';
import { dataOption, engineOptions, recipeOptions, restartOption, startEngineFor } from './shared-options.js';

/** Parses a text source given as one line of YAML: `{ name: FineWeb-Edu, license: odc-by }`. The recipe's schema checks its keys. */
function parseDataSource(text: string): object {
  const value: unknown = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Error(
    'must be a mapping such as { name: FineWeb-Edu, license: odc-by, hub_id: HuggingFaceFW/fineweb-edu }',
  );
}

/** An option that only a hand-over to PyTorch takes. */
const forTorch = (option: OptionSpec): OptionSpec => ({ ...option, help: `with --format torch: ${option.help}` });

export const exportCommand: Command<ExportArgs> = {
  name: 'export',
  summary: 'write the checkpoint that transformers loads, with tokenizer and model card',
  arguments: [{ name: 'dir', help: 'a conversion folder, or a BLT checkpoint folder' }],
  options: [
    { flags: '--out <dir>', help: 'the folder to write (default for a conversion: its own blt/)' },
    {
      flags: '--format <name>',
      help: 'transformers: a model to run or publish; torch: a folder to train it further on a cluster with PyTorch (docs/pytorch.md)',
      choices: ['transformers', 'torch'],
      default: 'transformers',
    },
    {
      flags: '--checkpoint <dir>',
      help: 'with --out: the checkpoint to export, such as run/stage-0/checkpoint-000000 (default: the newest)',
    },
    {
      flags: '--dtype <type>',
      help: 'precision of the weights (default: the recipe’s, else bfloat16)',
      choices: ['bfloat16', 'float32'],
    },
    { flags: '--max-shard <size>', help: 'maximum size of a weights file (default: 5GB)', parse: parsers.byteSize },
    {
      flags: '--language <code>',
      help: 'language of the training text, ISO 639-1, for the model card',
      repeatable: true,
    },
    {
      flags: '--data-source <mapping>',
      help: 'a source of the training text, for the model card: { name, license, url?, hub_id?, language? }',
      repeatable: true,
      parse: parseDataSource,
    },
    ...recipeOptions.map(forTorch),
    forTorch(dataOption),
    restartOption,
    ...engineOptions,
  ],
  examples: [
    'byteify export smollm2-blt',
    'byteify export smollm2-blt --out smollm2-blt-fp32 --dtype float32 --language en',
    "byteify export smollm2-blt --restart-from export --data-source '{ name: FineWeb-Edu, license: odc-by, hub_id: HuggingFaceFW/fineweb-edu }'",
    'byteify export llama-blt --format torch --out llama-torch --data corpus/ --set stages.1.steps=100000',
  ],
  async run(context, args) {
    if (args.format === 'torch') return handOver(context, args, overrides(args));
    refuseTrainingOptions(args);
    const document = args.out === undefined ? await inPlace(context, args) : await aside(context, args, args.out);
    printResult(context, document, () =>
      renderPairs([
        ['parameters', `${humanCount(document.parameters)} in ${document.dtype}`],
        ['weights', humanBytes(document.weight_bytes)],
        [
          'logits',
          document.max_logit_difference === null
            ? 'not compared'
            : `within ${document.max_logit_difference.toExponential(1)}`,
        ],
        ['folder', document.folder],
      ]),
    );
  },
};

interface ExportDocument {
  readonly folder: string;
  readonly dtype: string;
  readonly parameters: number;
  readonly weight_bytes: number;
  readonly max_logit_difference: number | null;
}

/** The recipe overrides that follow from the flags. */
function overrides({ dtype, maxShard, language, dataSource }: ExportArgs): string[] {
  return [
    ...(dtype === undefined ? [] : [`export.dtype=${dtype}`]),
    ...(maxShard === undefined ? [] : [`export.max_shard_bytes=${maxShard}`]),
    ...(language.length === 0 ? [] : [`export.language=${JSON.stringify(language)}`]),
    ...(dataSource.length === 0 ? [] : [`export.data_sources=${JSON.stringify(dataSource)}`]),
  ];
}

/** Runs the export stage of a conversion, with its own recipe and the overrides of the flags. */
async function inPlace(context: Context, args: ExportArgs): Promise<ExportDocument> {
  if (args.checkpoint !== undefined) {
    throw new UsageError('--checkpoint needs a folder to write.', { hint: 'Add --out DIR.' });
  }
  if ((await readManifest(args.dir)) === null) {
    throw new UsageError(`${args.dir} is not a conversion folder.`, {
      hint: 'Name the folder to write with --out DIR.',
    });
  }
  const recipe = await recipeFor(args.dir, undefined, { sets: overrides(args), onWarning: context.reporter.warn });
  const { exportStep } = await import('../pipeline/export-step.js');
  await startEngineFor(args, recipe.hardware.threads);
  const conversion = await openConversion(args.dir, { restartFrom: args.restartFrom, signal: context.signal });
  try {
    await exportStep({ conversion, recipe, reporter: context.reporter, signal: context.signal });
    const metrics = conversion.manifest().stages.export?.metrics ?? {};
    return {
      folder: conversion.path('export'),
      dtype: recipe.export.dtype,
      parameters: metrics.parameters ?? 0,
      weight_bytes: metrics.weight_bytes ?? 0,
      max_logit_difference: metrics.max_logit_difference ?? null,
    };
  } finally {
    await conversion.close();
  }
}

/** Exports the newest weights to another folder, without recording it in the conversion. Logits are compared only if the engine is set up. */
async function aside({ reporter, signal }: Context, args: ExportArgs, out: string): Promise<ExportDocument> {
  const manifest = await readManifest(args.dir);
  const { folder: from, origin } = await (args.checkpoint === undefined
    ? resolveCheckpoint(args.dir, { prefer: ['run', 'init'] })
    : resolveCheckpoint(args.checkpoint));
  if (origin === 'init') reporter.warn(`${args.dir} has not been fine-tuned yet: its local models are untrained.`);
  const recipe = await recipeFor(args.dir, undefined, { sets: overrides(args), onWarning: reporter.warn });
  const { dtype, max_shard_bytes } = recipe.export;
  const { card, files } = await metadataFiles({ folder: args.dir, manifest, recipe, name: basename(resolve(out)) });
  reporter.stage(`Exporting ${from}`);
  const report = await exportTransformers({
    from,
    out,
    dtype,
    maxShardBytes: max_shard_bytes,
    card,
    metadata: files,
    onProgress: ({ tensor, doneBytes, totalBytes }) =>
      reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: tensor }),
    signal,
  });
  reporter.done(`${humanCount(report.parameters)} parameters, ${humanBytes(report.weightBytes)}`);
  return {
    folder: out,
    dtype,
    parameters: report.parameters,
    weight_bytes: report.weightBytes,
    max_logit_difference: await compare({ reporter, args, from, out, dtype }),
  };
}

async function compare(params: {
  reporter: Context['reporter'];
  args: ExportArgs;
  from: string;
  out: string;
  dtype: 'float32' | 'bfloat16';
}): Promise<number | null> {
  const { reporter, args, from, out, dtype } = params;
  if (chooseDevice(args.device) === 'cpu' && locateEngine() === null) {
    reporter.note(
      'The export was not compared with its checkpoint, because the engine is not set up: run `byteify setup`.',
    );
    return null;
  }
  const { selfCheck } = await import('../evaluate/index.js');
  reporter.stage('Comparing logits');
  await startEngineFor(args);
  try {
    const { maxLogitDifference } = await selfCheck(from, out, dtype);
    reporter.done();
    return maxLogitDifference;
  } catch (error) {
    await removeAtomic(out); // do not leave a wrong export behind
    throw error;
  }
}
