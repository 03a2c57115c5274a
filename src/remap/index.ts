/** @module Llama -> BLT: the mapping as data, and its streaming application. */
export { DROPPED, LLAMA_TO_BLT, type Mapping, type Transform, toBltName, toLlamaName } from './mapping.js';
export { type RemapOptions, remap, type TargetDtype } from './remap.js';
export { type DroppedRecord, REPORT_FILE, type RemapReport, readRemapReport, type TargetRecord } from './report.js';
export { restoreLlamaLayers } from './restore.js';
