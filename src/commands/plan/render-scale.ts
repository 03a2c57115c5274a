/** @module Renders sizes and patch sizes at a budget as two tables and a bar chart. */
import type { GlobalSize, Scale } from '../../plan/index.js';
import { type Bar, humanCount, humanFlops, renderBars, renderTable } from '../../ui/index.js';

const right = (title: string) => ({ title, align: 'right' as const });
const SIZE_COLUMNS = ['width', 'layers', 'heads', 'parameters', 'of the source'].map(right);

/** What a patch size that is no number means. */
const NOTES: Readonly<Record<string, string>> = {
  none: 'costs more at every patch size',
  any: 'costs less even at 1 byte per patch',
};

/** @param columns width of the terminal */
export function renderScale(scale: Scale, { columns }: { columns: number }): string {
  const { sizes, patches } = scale;
  const source = sizes.find(({ size }) => size.isSource)!.size;
  const cells = ({ hiddenSize, layers, heads, parameters }: GlobalSize) => [
    ...[hiddenSize, layers, heads].map(String),
    humanCount(parameters),
    `${(parameters / source.parameters).toFixed(2)} x`,
  ];
  const mark = ({ isSource }: GlobalSize) => (isSource ? 'the source' : '');
  const bars = barsOf(scale);
  const sections = [
    budgetSentences(scale),
    renderTable(
      [...SIZE_COLUMNS, right('bytes per patch'), { title: '' }],
      sizes.map(({ size, bytesPerPatch }) => [
        ...cells(size),
        typeof bytesPerPatch === 'number' ? bytesPerPatch.toFixed(2) : bytesPerPatch,
        [mark(size), NOTES[String(bytesPerPatch)] ?? ''].filter((note) => note !== '').join('; '),
      ]),
    ),
    ...(bars.length > 1 ? [`Bytes per patch by parameters (* the source)\n${renderBars(bars, columns)}`] : []),
    `The largest size for a patch size\n${renderTable(
      [right('bytes per patch'), ...SIZE_COLUMNS, { title: '' }],
      patches.map(({ bytesPerPatch, largest }) => [
        String(bytesPerPatch),
        ...(largest === null ? SIZE_COLUMNS.map(() => '') : cells(largest)),
        largest === null ? 'none fits' : mark(largest),
      ]),
    )}`,
  ];
  return sections.join('\n');
}

const barsOf = ({ sizes }: Scale): Bar[] =>
  sizes.flatMap(({ size: { parameters, isSource: isMarked }, bytesPerPatch: value }) =>
    typeof value === 'number' ? [{ label: humanCount(parameters), value, text: value.toFixed(2), isMarked }] : [],
  );

/** What the budget is, and what of it remains for the global transformer. */
function budgetSentences({ budgetFlopsPerByte: budget, localFlopsPerByte: local, own }: Scale): string {
  const perByte = (flops: number) => `${humanFlops(flops)} per byte`;
  const ownSentence = `The recipe’s model costs ${perByte(own.flopsPerByte)} at ${own.bytesPerPatch} bytes per patch.`;
  const isOwn = budget === own.flopsPerByte;
  const first = isOwn ? `${ownSentence} That is the budget.` : `The budget is ${perByte(budget)}. ${ownSentence}`;
  const second =
    local < budget
      ? `Patcher and local models spend ${humanFlops(local)} of it at every byte; the rest is for what runs once per patch.`
      : `Patcher and local models alone cost ${perByte(local)}, so no patch size fits the budget.`;
  return `${first}\n${second}\n`;
}
