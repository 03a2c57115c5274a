/** @module `byteify export --format torch`: a folder with which PyTorch trains the model further. */
import { UsageError } from '../../errors.js';
import { torchExport } from '../../pipeline/torch-export.js';
import { recipeFor } from '../../recipe/index.js';
import { humanBytes, humanCount, renderPairs } from '../../ui/index.js';
import { type Context, printResult } from '../command.js';
import type { ExportArgs } from './args.js';

/** @throws UsageError for options of a hand-over without --format torch */
export function refuseTrainingOptions({ recipe, set = [], data }: ExportArgs): void {
  const given = recipe !== undefined ? '--recipe' : set.length > 0 ? '--set' : data !== undefined ? '--data' : null;
  if (given === null) return;
  throw new UsageError(`${given} has no effect on an export for transformers.`, { hint: 'Add --format torch.' });
}

/** @param cardSets recipe overrides that follow from the flags about the model card. */
export async function handOver(context: Context, args: ExportArgs, cardSets: readonly string[]): Promise<void> {
  const { dir, out, data = [], set = [], checkpoint = null } = args;
  const { reporter, signal } = context;
  if (out === undefined) {
    throw new UsageError('A folder for PyTorch needs a place of its own.', { hint: 'Add --out DIR.' });
  }
  if (args.dtype !== undefined) {
    throw new UsageError('--dtype has no effect with --format torch, which writes float32.', {
      hint: 'The precision of training is the recipe’s: --set stages.N.precision=bfloat16.',
    });
  }
  const { report, settings } = await torchExport({
    ...{ dir, out, data, checkpoint, reporter, signal },
    recipe: await recipeFor(dir, args.recipe, { sets: set, way: 'paper', onWarning: reporter.warn }),
    madeWith: await recipeFor(dir, undefined, { sets: cardSets }),
  });
  const document = {
    folder: out,
    parameters: report.parameters,
    weight_bytes: report.weightBytes,
    steps: settings.steps,
    bytes_per_step: settings.rows_per_step * settings.sequence_length,
  };
  printResult(context, document, () =>
    renderPairs([
      ['parameters', `${humanCount(document.parameters)} in float32`],
      ['weights', humanBytes(document.weight_bytes)],
      ['steps', `${document.steps.toLocaleString('en')} of ${humanBytes(document.bytes_per_step)}`],
      ['folder', out],
      ['train with', 'torchrun --nproc-per-node GPUS train.py'],
      ['take back with', `byteify import ${out} --out DIR`],
    ]),
  );
}
