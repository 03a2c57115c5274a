/** @module `byteify remap`: copies the source's layers into a BLT with newly initialised local models. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bltConfigFor } from '../blt/index.js';
import { MANIFEST_NAME, openConversion } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { openLlama } from '../llama/index.js';
import { remapStep } from '../pipeline/remap-step.js';
import { localSizesOf, type Recipe, recipeFor } from '../recipe/index.js';
import { type RemapReport, readRemapReport, remap } from '../remap/index.js';
import { humanBytes, humanCount, renderPairs, renderTable } from '../ui/index.js';
import { type Command, type Context, printResult } from './command.js';
import { type RecipeArgs, type RestartArgs, recipeOptions, restartOption } from './shared-options.js';

interface Args extends RecipeArgs, RestartArgs {
  readonly dir: string;
  readonly out?: string;
}

export const remapCommand: Command<Args> = {
  name: 'remap',
  summary: 'copy the Llama’s layers into a BLT, tensor by tensor',
  arguments: [{ name: 'dir', help: 'a conversion folder after import, a transformers folder, or a .gguf file' }],
  options: [
    ...recipeOptions,
    { flags: '--out <dir>', help: 'the BLT checkpoint folder to write (default for a conversion: its own init/)' },
    restartOption,
  ],
  examples: [
    'byteify remap smollm2-blt --recipe smollm2-135m',
    'byteify remap ./SmolLM2-135M --out smollm2-init --set seed=1',
  ],
  async run(context, args) {
    const recipe = await recipeFor(args.dir, args.recipe, { sets: args.set, onWarning: context.reporter.warn });
    const isConversion = existsSync(join(args.dir, MANIFEST_NAME));
    const folder =
      isConversion && args.out === undefined
        ? await inPlace(context, args, recipe)
        : await aside(context, args, recipe);
    const report = await readRemapReport(folder);
    printResult(context, { folder, ...report }, () => renderRemap(folder, report));
  },
};

async function inPlace(context: Context, { dir, restartFrom }: Args, recipe: Recipe): Promise<string> {
  const conversion = await openConversion(dir, { restartFrom, signal: context.signal });
  try {
    await remapStep({ conversion, recipe, reporter: context.reporter, signal: context.signal });
    return conversion.path('remap');
  } finally {
    await conversion.close();
  }
}

async function aside({ reporter, signal }: Context, { dir, out }: Args, recipe: Recipe): Promise<string> {
  if (out === undefined)
    throw new UsageError(`${dir} is not a conversion folder.`, { hint: 'Name the folder to write with --out DIR.' });
  const source = await openLlama(existsSync(join(dir, MANIFEST_NAME)) ? join(dir, 'source') : dir);
  try {
    reporter.stage(`Remapping ${dir}`);
    const config = bltConfigFor(source.config, localSizesOf(source.config, recipe));
    const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }) =>
      reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes' });
    await remap({ source, config, out, seed: recipe.seed, dtype: recipe.blt.dtype, onProgress, signal });
    reporter.done();
    return out;
  } finally {
    await source.close();
  }
}

function renderRemap(folder: string, { tensors, dropped, ...report }: RemapReport): string {
  const shape = (sizes: readonly number[]) => `[${sizes.join(', ')}]`;
  const rows = tensors.map((tensor) => {
    const origin = tensor.from ?? (tensor.std === 0 ? 'ones' : `normal, std ${tensor.std?.toPrecision(3)}`);
    return [tensor.name, tensor.dtype, shape(tensor.shape), tensor.origin, origin];
  });
  const columns = ['tensor', 'dtype', 'shape', 'origin', 'from'].map((title) => ({ title }));
  const lost = dropped.map(({ name, dtype, shape: sizes, reason }) => [name, dtype, shape(sizes), reason]);
  return [
    renderTable(columns, rows),
    ...(lost.length === 0
      ? []
      : [
          renderTable(
            ['dropped', 'dtype', 'shape', 'why'].map((title) => ({ title })),
            lost,
          ),
        ]),
    renderPairs([
      ['from the source', `${humanCount(report.copied_parameters)} parameters, ${humanBytes(report.copied_bytes)}`],
      ['new', `${humanCount(report.fresh_parameters)} parameters, seed ${report.seed}`],
      ['total', humanBytes(report.total_bytes)],
      ['folder', folder],
    ]),
  ].join('\n');
}
