/** @module The capabilities of the running engine. */
import { engineBackend } from './backend.js';

/** Whether OpenXLA runs the operations: it compiles everything, so whatever can be traced should be. */
export const onOpenXla = (): boolean => engineBackend().runtime.compile !== null;

/** How many devices share each computation. */
export const deviceCount = (): number => engineBackend().runtime.devices.length;
