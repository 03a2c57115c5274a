/** @module Imports a hub id, folder or GGUF file as a verified local source, and what was trained in PyTorch. */
export { type ImportReport, importModel } from './import-model.js';
export { type LocatedModel, locateModel } from './locate-model.js';
export { findTorchCheckpoint, openTorchCheckpoint, type TorchCheckpoint } from './torch-checkpoint.js';
