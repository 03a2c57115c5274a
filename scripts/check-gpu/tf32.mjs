// Whether TensorFlow rounds the operands of float32 products to TF32 (10 bits of mantissa), its default on Ampere and newer.
import { join } from 'node:path';
import koffi from 'koffi';

/** bool tsl::tensor_float_32_execution_enabled(), which both cuBLAS calls and XLA's own kernels obey. */
const SWITCH = '_ZN3tsl33tensor_float_32_execution_enabledEv';

/** @param {string} folder of the libraries, which must be loaded @returns {boolean | null} null if they do not export the function */
export function readTf32(folder) {
  try {
    return koffi.load(join(folder, 'libtensorflow_framework.so.2')).func(`bool ${SWITCH}()`)();
  } catch {
    return null;
  }
}
