/** @module The attributes that tfjs-core passes to kernels and gradients, by name. Each kernel receives only its own. */
import type { DataType } from '@tensorflow/tfjs-core';

export interface KernelAttributes {
  readonly axis: number;
  /** tf.max's name for its axis. */
  readonly reductionIndices: number;
  readonly keepDims: boolean;
  readonly exclusive: boolean;
  readonly reverse: boolean;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly k: number;
  readonly sorted: boolean;
  readonly shape: number[];
  readonly dim: number;
  readonly perm: number[];
  readonly reps: number[];
  readonly dims: number[];
  readonly begin: number[];
  readonly size: number[];
  readonly numOrSizeSplits: number | number[];
  readonly paddings: [number, number][];
  readonly constantValue: number;
  readonly value: number;
  readonly dtype: DataType;
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly depth: number;
  readonly onValue: number;
  readonly offValue: number;
  readonly batchDims: number;
  readonly numSegments: number;
}
