/** @module The capabilities of the running engine. */
import { engineBackend } from './backend.js';
import { takesHeads } from './triton/attention-kernels.js';

/** Whether OpenXLA runs the operations: it compiles everything, so whatever can be traced should be. */
export const onOpenXla = (): boolean => engineBackend().runtime.compile !== null;

/** Whether attention with heads of a width is computed by a kernel that keeps its scores on the chip. */
export const hasAttentionKernel = (headDim: number): boolean => engineBackend().runtime.triton && takesHeads(headDim);

/** How many devices share each computation. */
export const deviceCount = (): number => engineBackend().runtime.devices.length;
