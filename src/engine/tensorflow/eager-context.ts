/** @module TensorFlow's eager context: threads and devices. */
import type { Device, Pointer } from '../executor.js';
import { checkStatus } from './check-status.js';
import type { TensorFlowApi } from './native.js';

/**
 * tensorflow.ConfigProto with intra_op_parallelism_threads (field 2) and inter_op_parallelism_threads (field 5) as varints. A fused
 * chain runs on one thread, so several chains must be able to run at once.
 */
function threadConfig(threads: number): Uint8Array {
  return Uint8Array.of(0x10, threads, 0x28, threads);
}

export interface EagerContext {
  readonly handle: Pointer;
  readonly devices: readonly Device[];
}

/**
 * Opens an eager context.
 * @param threads maximum threads per operation (1 to 127); all cores when undefined.
 * @throws ByteifyError with TensorFlow's own message when the context cannot be created.
 */
export function openEagerContext(api: TensorFlowApi, status: Pointer, threads: number | undefined): EagerContext {
  const options = api.TFE_NewContextOptions();
  if (threads !== undefined) {
    const proto = threadConfig(threads);
    api.TFE_ContextOptionsSetConfig(options, proto, proto.length, status);
    checkStatus(api, status, 'TFE_ContextOptionsSetConfig');
  }
  const handle = api.TFE_NewContext(options, status);
  api.TFE_DeleteContextOptions(options);
  checkStatus(api, status, 'TFE_NewContext');
  return { handle, devices: devicesOf(api, handle, status) };
}

function devicesOf(api: TensorFlowApi, context: Pointer, status: Pointer): Device[] {
  const list = api.TFE_ContextListDevices(context, status);
  checkStatus(api, status, 'TFE_ContextListDevices');
  const found = Array.from({ length: api.TF_DeviceListCount(list) }, (_, i) => ({
    name: api.TF_DeviceListName(list, i, status),
    type: api.TF_DeviceListType(list, i, status),
  }));
  api.TF_DeleteDeviceList(list);
  return found;
}
