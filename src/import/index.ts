/** @module Import: a model id, folder or GGUF file becomes a verified local source. */
export { type ImportReport, importModel } from './import-model.js';
export { type LocatedModel, locateModel } from './locate-model.js';
