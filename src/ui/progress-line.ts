/** @module Formats progress as one line, for the spinner and the plain lines. */

import { humanBytes, humanDuration } from './format.js';
import type { Speed } from './speed.js';

export interface Progress {
  readonly done: number;
  /** Absent when unknown. */
  readonly total?: number | null | undefined;
  /** `bytes` are scaled; any other word is printed after the numbers: `12/50 steps`. */
  readonly unit: string;
  /** The current file or loss. */
  readonly detail?: string | undefined;
}

/** @example progressLine({ done: 5e8, total: 1e9, unit: 'bytes', detail: 'model.safetensors' }, { perSecond: 5e7, seconds: 10 }) */
export function progressLine(progress: Progress, { perSecond, seconds }: Speed): string {
  const { done, unit, detail } = progress;
  const total = progress.total ?? null;
  const parts: string[] = [];
  if (total !== null && total > 0) parts.push(`${Math.min(100, Math.floor((100 * done) / total))} %`);
  parts.push(amount(done, total, unit));
  const rate = seconds > 0.5 ? perSecond : 0;
  if (unit === 'bytes' && rate > 0) parts.push(`${humanBytes(rate)}/s`);
  const leftSeconds = total !== null && rate > 0 ? (total - done) / rate : 0;
  // An early estimate is worse than none, and the last second needs none.
  if (seconds > 3 && leftSeconds >= 1) parts.push(`${humanDuration(leftSeconds)} left`);
  if (detail !== undefined) parts.push(detail);
  return parts.join(', ');
}

function amount(done: number, total: number | null, unit: string): string {
  if (unit === 'bytes') return total === null ? humanBytes(done) : `${humanBytes(done)} of ${humanBytes(total)}`;
  return total === null ? `${done} ${unit}` : `${done}/${total} ${unit}`;
}
