/** @module Several checkpoints read as one. */
export { overlay } from '../safetensors/index.js';
