/** @module Section "Mapping": where the source's tensors went, layers that are alike in one row. */
import type { RemapReport } from '../../remap/index.js';
import { html, htmlTable } from '../html.js';
import type { Section } from './section.js';

/** A name with the number of its layer left open. */
const pattern = (name: string): string => name.replace(/\.layers\.\d+\./, '.layers.*.');

/** Null before the remap stage. */
export function mapping(report: RemapReport | null): Section | null {
  if (report === null) return null;
  const rows = new Map<string, { from: string; shape: string; origin: string; count: number }>();
  for (const { name, shape, origin, from } of report.tensors) {
    const key = pattern(name);
    const row = rows.get(key) ?? {
      from: from === undefined ? '' : pattern(from),
      shape: shape.join(' × '),
      origin,
      count: 0,
    };
    row.count++;
    rows.set(key, row);
  }
  const cells = [...rows].map(([name, { from, shape, origin, count }]) => [from, origin, name, shape, String(count)]);
  const dropped = new Map<string, string>();
  for (const { name, reason } of report.dropped) dropped.set(pattern(name), reason);
  const left = [...dropped].map(([name, reason]) => html`<li><code>${name}</code>: ${reason}</li>`);
  const share = (report.copied_parameters / (report.copied_parameters + report.fresh_parameters)) * 100;
  return {
    id: 'mapping',
    title: 'Mapping of tensors',
    body: html`<p>${share.toFixed(0)} % of the parameters come from the source.</p>
<details><summary>All tensors</summary>${htmlTable(['source', 'what was done', 'BLT', 'shape', 'layers'], cells, ['left', 'left', 'left', 'right', 'right'])}</details>
${left.length === 0 ? null : html`<p>Left out:</p><ul>${left}</ul>`}`,
  };
}
