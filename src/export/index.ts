/** @module Export: a checkpoint of ours as others load it. */
export { type CheckedExport, checkExport } from './check-export.js';
export { exportFiles } from './export-files.js';
export { type ExportProgress, type ExportReport, exportTransformers } from './export-transformers.js';
