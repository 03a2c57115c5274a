/** @module Regions of operations that combine two scalars. */
import { tensorType } from '../types.js';

/** A region that combines two scalars. */
export const combiner = (op: string, dtype: number): string => {
  const type = tensorType([], dtype);
  return `({\n    ^bb0(%p: ${type}, %q: ${type}):\n      %r = stablehlo.${op} %p, %q : ${type}\n      stablehlo.return %r : ${type}\n    })`;
};
