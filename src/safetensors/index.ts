/** @module safetensors files: read by byte range, written in chunks, fully validated. */
export { type Dtype, dtypeBytes, fromFloat32, halfValue, isDtype, isPlainFloat, toFloat32 } from './dtype.js';
export { overlay } from './overlay.js';
export { isPartial, overlayOf, writePartialCheckpoint } from './partial-checkpoint.js';
export { quoted } from './quoted.js';
export { type Checkpoint, INDEX_FILE, openCheckpoint, readIndex, SINGLE_FILE } from './read-checkpoint.js';
export { checkRange, openFile, openSafetensorsFile } from './read-file.js';
export { type Refuse, repeatedKeys } from './strict-json.js';
export { type TensorChunksOptions, tensorChunks } from './tensor-chunks.js';
export { type ByteRange, elementCount, type TensorInfo, type TensorReader, tensorBytes } from './types.js';
export { type WrittenCheckpoint, writeCheckpoint } from './write-checkpoint.js';
export { type TensorSource, type WriteOptions, writeSafetensorsFile } from './write-file.js';
