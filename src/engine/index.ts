/** @module The engine: TensorFlow operations for TypeScript. All code above it uses `tf` from here and these operations. */
export * as tf from '@tensorflow/tfjs-core';
export { attribute } from './attributes.js';
export { canCompile, onGpu } from './capabilities.js';
export { CHUNK_BYTES, chunksOf, tensorFromChunks } from './chunks.js';
export {
  type CompiledFunction,
  type CompileMode,
  compile,
  type InputSpec,
  signatureOf,
} from './compile.js';
export { cacheHome, engineHome } from './folders.js';
export { fuse, fusedOp } from './fuse.js';
export { checkpointed } from './gradient-checkpointing.js';
export { TENSORFLOW_VERSION } from './libraries.js';
export { type EngineLocation, locateEngine } from './locate.js';
export {
  attend,
  crossEntropyRows,
  crossEntropySum,
  gatherRows,
  linear,
  rmsNorm,
  segmentMax,
  segmentShift,
  segmentSum,
  swiglu,
} from './ops.js';
export { type Precision, productOperands, withPrecision } from './precision.js';
export { rangeSums } from './range-sums.js';
export { rawOp } from './raw-op.js';
export { valuesOf, valuesOfVariable } from './read-values.js';
export { type RetracedFunction, retracedFunction } from './retraced-function.js';
export { type SelfTest, selfTest } from './self-test.js';
export { type SetUpOptions, setUpEngine } from './set-up.js';
export { BACKENDS, type BackendName, type Engine, type EngineOptions, startEngine } from './start.js';
export type { Storage } from './storage.js';
export {
  gradualFunction,
  graphOrEager,
  type RunMode,
  type TensorFunction,
  tensorFunction,
} from './tensor-function.js';
export { untaped } from './untaped.js';
export { createVariable, fuseUpdate, type Variable, zeroVariable } from './variables.js';
