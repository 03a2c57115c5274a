/** @module Imports a hub id, folder or GGUF file as a verified local source. */
export { type ImportReport, importModel } from './import-model.js';
export { type LocatedModel, locateModel } from './locate-model.js';
