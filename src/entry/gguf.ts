/**
 * @module `byteify-blt/gguf`: GGUF files of version 2 and 3, their key-values and tensors; quantised tensors are read as float32. Loads no
 * TensorFlow.
 *
 * @example
 * import { openGguf } from 'byteify-blt/gguf';
 *
 * const file = await openGguf('SmolLM2-135M-Instruct.Q4_1.gguf');
 * console.log(file.keyValues.get('general.architecture'), file.storedTypes.get('blk.0.attn_q.weight'));
 * const bytes = await file.read('output_norm.weight');
 * await file.close();
 */
export { ByteifyError, UsageError } from '../errors.js';
export { type GgufFile, type GgufValue, openGguf } from '../gguf/index.js';
