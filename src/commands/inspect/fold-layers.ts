/** @module Folds equal tensors of several layers into one row, so that a model of 30 layers takes as many lines as one of two. */
import type { InspectedTensor } from './inspection.js';

export interface FoldedTensors extends Pick<InspectedTensor, 'dtype' | 'shape'> {
  /** The tensor's name, in which the numbers of several layers are ranges: `model.layers.0-5.mlp.up_proj.weight`. */
  readonly name: string;
  readonly count: number;
}

/** The number of a layer in names of transformers (`layers.0.`, `cross_attn_layers.0.`) and of GGUF (`blk.0.`). */
const LAYER = /^(.*?\b(?:[a-z_]*layers|blk)\.)(\d+)(\..*)$/;

interface Fold extends Pick<InspectedTensor, 'dtype' | 'shape'> {
  readonly before: string;
  readonly after: string;
  readonly layers: number[];
}

/** Folds tensors of equal dtype and shape whose names differ only in the layer number, in the order of first appearance. */
export function foldLayers(tensors: readonly InspectedTensor[]): FoldedTensors[] {
  const folds = new Map<string, Fold>();
  for (const { name, dtype, shape } of tensors) {
    const [, before = name, layer, after = ''] = LAYER.exec(name) ?? [];
    const key = JSON.stringify([before, after, dtype, shape]);
    const fold = folds.get(key) ?? { before, after, dtype, shape, layers: [] };
    folds.set(key, fold);
    if (layer !== undefined) fold.layers.push(Number(layer));
  }
  return [...folds.values()].map(({ before, after, dtype, shape, layers }) => ({
    name: `${before}${ranges(layers)}${after}`,
    dtype,
    shape,
    count: Math.max(1, layers.length),
  }));
}

/** Numbers as `0-5` or `0,2-5`. */
function ranges(numbers: readonly number[]): string {
  const spans: { first: number; last: number }[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const span = spans.at(-1);
    if (span !== undefined && number === span.last + 1) span.last = number;
    else spans.push({ first: number, last: number });
  }
  return spans.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
