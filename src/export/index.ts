/** @module Export: a checkpoint of ours as others load it. */

export { cardFromManifest } from './card-from-manifest.js';
export { type CheckedExport, checkExport } from './check-export.js';
export { type ExportProgress, type ExportReport, exportTransformers } from './export-transformers.js';
export { type CardInputs, type CardModel, type CardStage, modelCard } from './model-card.js';
