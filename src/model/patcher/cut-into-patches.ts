/** @module Segments rows of bytes into patches where the patcher's entropy exceeds the threshold (blt-format 2). */
import type { BltConfig } from '../../blt/index.js';
import { type ByteRow, byteBatch, type CutRows, cutRows } from '../../patching/index.js';
import type { Params } from '../params.js';
import { patcherOutput } from './output.js';

export interface MeasuredCuts extends CutRows {
  /** The entropy of the patcher's prediction at each position, in nats [rows * length]. */
  readonly entropies: Float32Array;
}

/** Runs the patcher on rows of equal length and segments them where its entropy exceeds the threshold. */
export function cutIntoPatches(params: Params, config: BltConfig, rows: readonly ByteRow[]): MeasuredCuts {
  const { entropies } = patcherOutput(params, config, byteBatch(rows));
  return { ...cutRows(rows, entropies, config), entropies };
}
