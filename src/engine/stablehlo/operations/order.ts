/** @module The order of computations. */
import type { Operation } from '../operation.js';

export const ORDER: Readonly<Record<string, Operation>> = {
  XlaOptimizationBarrier: ({ barrier }, inputs) => barrier(inputs.map((input) => input.use())),
};
