/** @module What became of every tensor: remap-report.json. */
import type { Dtype } from '../safetensors/index.js';

export interface TargetRecord {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** copied and permuted tensors have a `from`; fresh ones a `std` (0: ones). */
  readonly origin: 'copied' | 'permuted' | 'fresh';
  readonly from?: string;
  readonly std?: number;
}

export interface DroppedRecord {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly reason: string;
}

export interface RemapReport {
  readonly seed: number;
  readonly tensors: readonly TargetRecord[];
  readonly dropped: readonly DroppedRecord[];
  /** Of copied and permuted tensors, as written. */
  readonly copied_bytes: number;
  readonly copied_parameters: number;
  readonly fresh_parameters: number;
  readonly total_bytes: number;
}
