/** @module Rows of bytes, cut where the patcher's entropy exceeds the threshold. */
import type { BltConfig } from '../../blt/index.js';
import { type ByteRow, byteBatch, type PatchedBatch, patchedBatch } from '../../patching/index.js';
import type { Params } from '../params.js';
import { patcherEntropies } from './patcher.js';

export interface CutRows {
  readonly batch: PatchedBatch;
  /** Nats, [rows, length]: of the patcher's prediction made at each position. */
  readonly entropies: Float32Array;
}

/** Runs the patcher over rows and cuts them where its entropy exceeds the threshold. */
export function cutIntoPatches(params: Params, config: BltConfig, rows: readonly ByteRow[]): CutRows {
  const entropies = patcherEntropies(params, config.patcher, byteBatch(rows));
  return { batch: patchedBatch(rows, entropies, config), entropies };
}
