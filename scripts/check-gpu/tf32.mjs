// Whether TensorFlow rounds the operands of float32 products to TF32 (10 bits of mantissa), as it does on Ampere and newer unless told not to.
import { join } from 'node:path';
import koffi from 'koffi';

/** bool tsl::tensor_float_32_execution_enabled(): what cuBLAS calls and XLA's own kernels both go by. */
const SWITCH = '_ZN3tsl33tensor_float_32_execution_enabledEv';

/** @param {string} folder holds the libraries, which are loaded @returns {boolean | null} null when they do not tell */
export function readTf32(folder) {
  try {
    return koffi.load(join(folder, 'libtensorflow_framework.so.2')).func(`bool ${SWITCH}()`)();
  } catch {
    return null;
  }
}
