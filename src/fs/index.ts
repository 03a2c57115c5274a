/** @module Files: atomic writes, locks, digests, appending, free space. */
export { type AppendFile, createAppendFile } from './append-file.js';
export { removeAtomic, sweepTemporary, writeFileAtomic, writeFolderAtomic } from './atomic.js';
export { digestOf, digestOfFile } from './digest.js';
export { diskError, type FolderVariable, refuseFullDisk, sizeOnDisk } from './disk-space.js';
export { BEGINNING_BYTES, refuseForeignContent } from './foreign-content.js';
export { isThere } from './is-there.js';
export { jsonFault } from './json-fault.js';
export {
  type LfsPointer,
  lfsPointer,
  MAX_POINTER_BYTES,
  POINTER_HINT,
  pointerWords,
  refusePointer,
} from './lfs-pointer.js';
export { lockFolder } from './lock.js';
export { makeFolder } from './make-folder.js';
export { readMetrics } from './metrics-file.js';
export { missingPath } from './missing-path.js';
export { type JsonObject, parseModelJson, readModelJson } from './model-json.js';
export { explainJson, parseJson } from './parse-json.js';
export { readFully } from './read-fully.js';
export { jsonOrNull, parseWritten, readJson, readJsonIfThere, readTextIfThere, type WrittenFile } from './read-json.js';
export { openScratchFile } from './scratch-file.js';
export { type WalkedEntry, walk } from './walk.js';
