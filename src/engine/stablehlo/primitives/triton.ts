/** @module Calls of the project's kernels in Triton. */
import { callKernel } from '../../triton/kernel-call.js';
import type { Kernel } from '../../triton/tiles.js';
import type { Body, Value } from '../body.js';

export const tritonPrimitives = (body: Body) => ({
  /** What a kernel makes of its operands. */
  callKernel: (kernel: Kernel, operands: readonly Value[], results: readonly Pick<Value, 'shape' | 'dtype'>[]) =>
    callKernel(body, kernel, operands, results),
});
