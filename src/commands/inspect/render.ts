/** @module Renders an inspection as text. */

import { elementCount } from '../../safetensors/index.js';
import { humanCount, renderPairs, renderTable } from '../../ui/index.js';
import type { Group, Inspection } from './inspection.js';

/** A summary line, then the config, the parts, the dtypes and every tensor. */
export function renderInspection(found: Inspection): string {
  const blocks = [
    `${found.path}: ${found.kind}, ${humanCount(found.parameters)} parameters (${found.parameters}) in ${found.tensors.length} tensors\n`,
    renderPairs(
      Object.entries(found.config).map(([key, value]) => [key, value === null ? 'none' : oneLine(String(value))]),
    ),
    groups('part', found.parts),
    groups('dtype', found.dtypes),
    renderTable(
      [{ title: 'tensor' }, { title: 'dtype' }, { title: 'shape' }, { title: 'parameters', align: 'right' }],
      found.tensors.map((tensor) => [
        tensor.name,
        tensor.dtype,
        `[${tensor.shape.join(', ')}]`,
        String(elementCount(tensor.shape)),
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
