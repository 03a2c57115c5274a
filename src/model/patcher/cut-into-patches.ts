/** @module Rows of bytes, cut where the patcher's entropy exceeds the threshold. */
import type { BltConfig } from '../../blt/index.js';
import { type ByteRow, byteBatch, type CutRows, cutRows } from '../../patching/index.js';
import type { Params } from '../params.js';
import { patcherOutput } from './output.js';

export interface MeasuredCuts extends CutRows {
  /** Nats, [rows * length]: of the patcher's prediction made at each position. */
  readonly entropies: Float32Array;
}

/** Runs the patcher over rows and cuts them where its entropy exceeds the threshold. */
export function cutIntoPatches(params: Params, config: BltConfig, rows: readonly ByteRow[]): MeasuredCuts {
  const { entropies } = patcherOutput(params, config, byteBatch(rows));
  return { ...cutRows(rows, entropies, config), entropies };
}
