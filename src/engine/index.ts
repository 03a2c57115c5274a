/** @module The engine: TensorFlow operations for TypeScript. All code above it uses `tf` from here and these operations. */
export * as tf from '@tensorflow/tfjs-core';
export { attribute } from './attributes.js';
export { deviceCount, hasAttentionKernel, onOpenXla } from './capabilities.js';
export { CHUNK_BYTES, chunksOf, tensorFromChunks } from './chunks.js';
export {
  type CompiledFunction,
  type CompileMode,
  compile,
  type InputSpec,
  signatureOf,
} from './compile.js';
export type { Cluster } from './executor.js';
export { fuse, fusedOp } from './fuse.js';
export { checkpointed } from './gradient-checkpointing.js';
export { type Compiler, openCompiler, setUpCompiler } from './openxla/absent-device.js';
export { type Layout, ONE_DEVICE, partBytes, shardingOf } from './openxla/split.js';
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
export { type HloStatistics, hloStatistics, type Occurrences } from './pjrt/hlo-statistics.js';
export type { MemoryStatistics } from './pjrt/program.js';
export { type Precision, productOperands, withPrecision } from './precision.js';
export { randomNormal } from './random-normal.js';
export { rangeSums } from './range-sums.js';
export { rawOp } from './raw-op.js';
export { valuesOf, valuesOfVariable } from './read-values.js';
export { type RetracedFunction, retracedFunction } from './retraced-function.js';
export { DEVICE_OPTIONS, type DeviceName, type DeviceOption, type PluginDevice } from './setup/device-names.js';
export { cacheHome, engineHome } from './setup/folders.js';
export { TENSORFLOW_VERSION } from './setup/libraries.js';
export { type EngineLocation, locateEngine } from './setup/locate.js';
export { type SelfTest, selfTest } from './setup/self-test.js';
export { type SetUpOptions, setUpEngine } from './setup/set-up.js';
export { setUpPlugin } from './setup/set-up-plugin.js';
export { moduleText, type StableHloFunction } from './stablehlo/function.js';
export { type Engine, type EngineOptions, startEngine, startShapesEngine } from './start.js';
export type { Storage } from './storage.js';
export { sumOverProcesses } from './sum-over-processes.js';
export {
  gradualFunction,
  type RunMode,
  type TensorFunction,
  tensorFunction,
} from './tensor-function.js';
export { type CausalAttention, tritonAttention } from './triton-attention.js';
export { untaped } from './untaped.js';
export { createVariable, fuseUpdate, resetVariable, type Variable, zeroVariable } from './variables.js';
