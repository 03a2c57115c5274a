/** @module Errors of TensorFlow's C API. */
import { ByteifyError } from '../../errors.js';
import type { Pointer } from '../executor.js';
import type { TensorFlowApi } from './native.js';

/** @throws ByteifyError with TensorFlow's own message when a call failed. */
export function checkStatus(api: TensorFlowApi, status: Pointer, what: string): void {
  if (api.TF_GetCode(status) === 0) return;
  throw new ByteifyError(`TensorFlow failed in ${what}: ${api.TF_Message(status).split('\n')[0]}`);
}
