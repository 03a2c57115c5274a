/** @module What the engine that runs can do. */
import * as tf from '@tensorflow/tfjs-core';
import { TensorFlowBackend } from './backend.js';

/** Whether functions can be traced and compiled: on byteify's own backend. */
export function canCompile(): boolean {
  return tf.backend() instanceof TensorFlowBackend;
}

/** Whether there is a GPU that operations run on. */
export function onGpu(): boolean {
  const backend = tf.backend();
  return backend instanceof TensorFlowBackend && backend.runtime.devices.some(({ type }) => type === 'GPU');
}
