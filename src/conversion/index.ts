/** @module The conversion folder: manifest, stages, lock, checkpoints. The stages meet here, on disk. */

export { removeAtomic, writeFileAtomic, writeFolderAtomic } from './atomic.js';
export { claimOut, markOut, OUTPUT_MARK, type OutputKind } from './claim-out.js';
export { digestOf, digestOfFile } from './digest.js';
export { type InputFile, MANIFEST_NAME, type Manifest, readManifest, type StageRecord } from './manifest.js';
export { type Conversion, openConversion } from './open-conversion.js';
export { parseJson } from './parse-json.js';
export { type Checkpoint, newestCheckpoint, resolveCheckpoint } from './resolve-checkpoint.js';
export { runStage, type StageOutcome } from './run-stage.js';
export { STAGE_NAMES, STAGES, type StageName } from './stages.js';
