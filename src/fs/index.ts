/** @module Files: atomic writes, locks, digests, appending, free space. */
export { type AppendFile, createAppendFile } from './append-file.js';
export { removeAtomic, sweepTemporary, writeFileAtomic, writeFolderAtomic } from './atomic.js';
export { digestOf, digestOfFile } from './digest.js';
export { diskError, refuseFullDisk, sizeOnDisk } from './disk-space.js';
export { lockFolder } from './lock.js';
export { makeFolder } from './make-folder.js';
export { readMetrics } from './metrics-file.js';
export { parseJson, readJson, readJsonIfThere, readTextIfThere, type WrittenFile } from './read-json.js';
export { openScratchFile } from './scratch-file.js';
export { type WalkedEntry, walk } from './walk.js';
