/** @module Export: a checkpoint of ours as others load it. */

export { type CardInputs, cardFromManifest, type TextFacts } from './card-inputs.js';
export { type CheckedExport, checkExport } from './check-export.js';
export { type ConversionPapers, conversionPapers, modelName } from './conversion-papers.js';
export { exportFiles } from './export-files.js';
export { type ExportProgress, type ExportReport, exportTransformers } from './export-transformers.js';
export { type CardModel, modelCard } from './model-card.js';
