/** @module The capabilities of the running engine. */
import { engineBackend } from './backend.js';
import { currentPrecision } from './precision.js';
import { takesHeads } from './triton/attention-kernels.js';

/** Whether OpenXLA runs the operations: it compiles everything, so whatever can be traced should be. */
export const onOpenXla = (): boolean => engineBackend().runtime.compile !== null;

/** Whether attention of a precision and head width is computed by a kernel that keeps its scores on the chip. */
export const hasAttentionKernel = (headDim: number): boolean =>
  engineBackend().runtime.triton && currentPrecision() === 'bfloat16' && takesHeads(headDim);

/** How many devices share each computation. */
export const deviceCount = (): number => engineBackend().runtime.devices.length;
