/** @module Exports a checkpoint in the form that other tools load. */
export { type CheckedExport, checkExport } from './check-export.js';
export { exportFiles } from './export-files.js';
export { type ExportProgress, type ExportReport, exportTransformers } from './export-transformers.js';
export { type TorchSettings, torchSettings } from './torch/settings.js';
export { writeHandOver } from './torch/write-hand-over.js';
