/** @module The conversion folder: manifest, stages, lock, checkpoints. Stages communicate through this folder on disk. */
export {
  evaluationFolder,
  type InputFile,
  MANIFEST_NAME,
  type Manifest,
  measuredBytesPerPatch,
  readManifest,
  type StageRecord,
} from './manifest.js';
export { type Conversion, openConversion } from './open-conversion.js';
export { type Checkpoint, newestCheckpoint, resolveCheckpoint } from './resolve-checkpoint.js';
export { restartHint } from './restart-hint.js';
export { runStage, type StageOutcome } from './run-stage.js';
export { claimOutput, markOutput, OUTPUT_RECORD, type OutputKind } from './safe-output.js';
export { outputFolder, STAGE_NAMES, STAGES, type StageName } from './stages.js';
