/** @module Section "Summary": what was made of what, and how far it got. */
import { measuredBytesPerPatch } from '../../conversion/index.js';
import { sourceName } from '../../release/index.js';
import { humanBytes, humanDuration, humanFlops } from '../../ui/index.js';
import { html, htmlTable } from '../html.js';
import type { ReportInputs } from '../report-inputs.js';
import type { Section } from './section.js';

const number = (value: number | undefined, decimals: number) => value?.toFixed(decimals) ?? 'not measured';

export function summary({ manifest, curves }: ReportInputs): Section {
  const { finetune } = manifest.stages;
  const { validation_bits_per_byte: own, source_bits_per_byte: source, flops } = finetune?.metrics ?? {};
  const share = own === undefined || source === undefined ? null : `${((100 * source) / own).toFixed(1)} %`;
  const bytes = curves.reduce((sum, { training }) => sum + (training.at(-1)?.bytes ?? 0), 0);
  const types = manifest.quantised_types ?? [];
  const facts: (readonly [string, string])[] = [
    ['source', `${sourceName(manifest) ?? 'unknown'}${manifest.revision === null ? '' : ` at ${manifest.revision}`}`],
    ...(types.length > 0 ? [['source’s weights', `quantised: ${types.join(', ')}`] as const] : []),
    ['recipe', manifest.recipe?.name ?? 'none'],
    ['bits per byte of held-out text', number(own, 4)],
    ['the source’s, on the same text', number(source, 4)],
    ['retention (the source’s bits / the model’s)', share ?? 'not measured'],
    ['bytes per patch', number(measuredBytesPerPatch(manifest), 2)],
    ['text read in training', humanBytes(bytes)],
    ...(flops === undefined ? [] : [['operations of the training stages', humanFlops(flops)] as const]),
  ];
  const stages = Object.entries(manifest.stages).map(([name, stage]) => [
    name,
    stage.state === 'done' ? 'done' : 'not finished',
    humanDuration(stage.seconds),
  ]);
  return {
    id: 'summary',
    title: 'Summary',
    body: html`<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${htmlTable(['stage', 'state', 'time'], stages, ['left', 'left', 'right'])}`,
  };
}
