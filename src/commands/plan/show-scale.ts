/** @module `plan --scale`: which global transformers and which patch sizes a budget of inference per byte allows. */
import { UsageError } from '../../errors.js';
import { writeFileAtomic } from '../../fs/index.js';
import { PATCH_SIZES, type Scale, type ScaleInputs, scaleAt } from '../../plan/index.js';
import { humanFlops, terminalColumns } from '../../ui/index.js';
import { type Context, printResult } from '../command.js';
import { renderScale } from './render-scale.js';
import { scaleDocument } from './scale-document.js';
import type { ScaleArgs } from './scale-options.js';

/** @throws UsageError if there is nothing to draw */
export async function showScale(
  context: Context,
  { flopsPerByte, bytesPerPatch = PATCH_SIZES, svg }: ScaleArgs,
  { model, ...inputs }: Pick<ScaleInputs, 'config' | 'text'> & { readonly model: string },
): Promise<void> {
  const scale = scaleAt({ ...inputs, budget: flopsPerByte ?? null, patchSizes: bytesPerPatch });
  if (svg !== undefined) await draw(svg, scale, model);
  const document = { ...scaleDocument(scale, { model }), ...(svg !== undefined && { svg }) };
  printResult(context, document, () => renderScale(scale, { columns: terminalColumns(process.stdout) }));
}

async function draw(path: string, scale: Scale, model: string): Promise<void> {
  if (!scale.sizes.some(({ bytesPerPatch }) => typeof bytesPerPatch === 'number')) {
    throw new UsageError('No size has a patch size at this budget, so there is nothing to draw.', {
      hint: `Patcher and local models alone cost ${humanFlops(scale.localFlopsPerByte)} per byte: give more with --flops-per-byte.`,
    });
  }
  // Not the folder's index, which loads what runs models.
  const { scaleChart } = await import('../../report/scale-chart.js');
  await writeFileAtomic(path, scaleChart(scale, { model }));
}
