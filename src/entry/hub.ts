/**
 * @module `byteify-blt/hub`: resumable, verified downloads of Hugging Face Hub models into the cache that Python's client reads. Loads no
 * TensorFlow.
 *
 * @example
 * import { downloadModel } from 'byteify-blt/hub';
 *
 * const { folder, commit } = await downloadModel('HuggingFaceTB/SmolLM2-135M');
 */
export { ByteifyError, UsageError } from '../errors.js';
export {
  type Downloaded,
  type DownloadOptions,
  downloadModel,
  type HubEnvironment,
  type HubOptions,
  hubEnvironment,
  type ModelId,
  parseModelId,
  type RemoteModel,
  readRemote,
} from '../hub/index.js';
