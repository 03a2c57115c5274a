/** @module The capabilities of the running engine. */
import * as tf from '@tensorflow/tfjs-core';
import { TensorFlowBackend } from './backend.js';

/** Whether functions can be traced and compiled, which only byteify's own backend supports. */
export function canCompile(): boolean {
  return tf.backend() instanceof TensorFlowBackend;
}

/** Whether operations run on a GPU. */
export function onGpu(): boolean {
  const backend = tf.backend();
  return backend instanceof TensorFlowBackend && backend.runtime.devices.some(({ type }) => type === 'GPU');
}
