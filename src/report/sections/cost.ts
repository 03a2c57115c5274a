/** @module Section "Cost": what a byte of text costs the model, part by part, and the source. */
import { measuredBytesPerPatch } from '../../conversion/index.js';
import { modelCosts, type PartCost, sourceCosts, totalCost } from '../../evaluate/index.js';
import { html, htmlTable } from '../html.js';
import type { ReportInputs } from '../report-inputs.js';
import type { Section } from './section.js';

const NAMES: Readonly<Record<string, string>> = { head: 'output layer', global: 'latent global transformer' };

const row = (who: string, part: string, { flops, weightBytes }: Omit<PartCost, 'part'>) => [
  who,
  part,
  (flops / 1e6).toFixed(2),
  (weightBytes / 1e6).toFixed(2),
];

const rowsOf = (who: string, parts: readonly PartCost[]) => [
  ...parts.map((cost) => row(who, NAMES[cost.part] ?? cost.part, cost)),
  row(who, 'all', totalCost(parts)),
];

/** Null before the patcher is calibrated. */
export function cost({ manifest, model, source }: ReportInputs): Section | null {
  const bytesPerPatch = measuredBytesPerPatch(manifest);
  if (model === null || bytesPerPatch === undefined) return null;
  const bytesPerToken = manifest.stages.patcher?.metrics.source_bytes_per_token;
  const beside =
    source === null || bytesPerToken === undefined
      ? null
      : { bytesPerToken, parts: sourceCosts(source, model.global, bytesPerToken) };
  const steps = [
    `${bytesPerPatch.toFixed(2)} bytes per patch`,
    ...(beside === null ? [] : [`${beside.bytesPerToken.toFixed(2)} bytes per token of the source`]),
  ];
  const rows = [
    ...rowsOf('this model', modelCosts(model, bytesPerPatch)),
    ...(beside === null ? [] : rowsOf('the source', beside.parts)),
  ];
  return {
    id: 'cost',
    title: 'Cost',
    body: html`<p>Operations of matrix products, and weights in bfloat16 that decoding one sequence reads, per byte of text, at ${steps.join(' and ')}. Counted from the sizes, not timed.</p>
${htmlTable(['', 'part', 'MFLOP per byte', 'MB of weights per byte'], rows, ['left', 'left', 'right', 'right'])}`,
  };
}
