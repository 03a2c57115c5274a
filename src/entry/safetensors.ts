/**
 * @module `byteify-blt/safetensors`: safetensors files and sharded checkpoints, which are read by range and written tensor by tensor. Loads no
 * TensorFlow.
 *
 * @example
 * import { openCheckpoint, toFloat32 } from 'byteify-blt/safetensors';
 *
 * const checkpoint = await openCheckpoint('SmolLM2-135M');
 * for (const { name, dtype, shape } of checkpoint.tensors.values()) console.log(name, dtype, shape);
 * const norm = toFloat32(await checkpoint.read('model.norm.weight'), 'BF16');
 * await checkpoint.close();
 */
export { ByteifyError, UsageError } from '../errors.js';
export {
  type ByteRange,
  type Checkpoint,
  type Dtype,
  dtypeBytes,
  fromFloat32,
  openCheckpoint,
  openSafetensorsFile,
  type TensorInfo,
  type TensorReader,
  type TensorSource,
  toFloat32,
  type WriteOptions,
  type WrittenCheckpoint,
  writeCheckpoint,
  writeSafetensorsFile,
} from '../safetensors/index.js';
