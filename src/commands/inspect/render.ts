/** @module Renders an inspection as text. */

import { elementCount } from '../../safetensors/index.js';
import { counted, humanCount, renderPairs, renderTable } from '../../ui/index.js';
import { foldLayers } from './fold-layers.js';
import type { Group, Inspection } from './inspection.js';

/** A summary line, then the config, the parts, the dtypes, and the tensors, with those that several layers have folded into one row. */
export function renderInspection(found: Inspection): string {
  const blocks = [
    `${found.path}: ${found.kind}, ${humanCount(found.parameters)} parameters (${found.parameters}) in ${counted(found.tensors.length, 'tensor')}\n`,
    renderPairs(
      Object.entries(found.config).map(([key, value]) => [key, value === null ? 'none' : oneLine(String(value))]),
    ),
    groups('part', found.parts),
    groups('dtype', found.dtypes),
    renderTable(
      [
        { title: 'tensor' },
        { title: 'dtype' },
        { title: 'shape' },
        { title: 'tensors', align: 'right' },
        { title: 'parameters', align: 'right' },
      ],
      foldLayers(found.tensors).map(({ name, dtype, shape, count }) => [
        name,
        dtype,
        `[${shape.join(', ')}]`,
        String(count),
        String(count * elementCount(shape)),
      ]),
    ),
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

function groups(title: string, all: readonly Group[]): string {
  return renderTable(
    [{ title }, { title: 'tensors', align: 'right' }, { title: 'parameters', align: 'right' }],
    all.map(({ name, tensors, parameters }) => [name, String(tensors), humanCount(parameters)]),
  );
}

/** Shortens a value to one line: GGUF files contain whole chat templates, which --json prints in full. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
