/** @module TensorFlow's eager context: threads and devices. */
import type { Cluster, Device, Pointer } from '../executor.js';
import { integer } from '../protobuf.js';
import { checkStatus } from './check-status.js';
import { collectiveConfig, enableCollectives } from './collectives.js';
import type { TensorFlowApi } from './native.js';

/**
 * tensorflow.ConfigProto with intra_op_parallelism_threads (field 2) and inter_op_parallelism_threads (field 5). A fused chain runs on one
 * thread, so several chains must be able to run at once.
 */
const threadConfig = (threads: number): number[] => [...integer(2, threads), ...integer(5, threads)];

export interface EagerContext {
  readonly handle: Pointer;
  readonly devices: readonly Device[];
}

export interface ContextOptions {
  /** Maximum threads per operation; all cores when absent. */
  readonly threads?: number;
  /** The processes that compute together; absent if this one computes alone. */
  readonly cluster?: Cluster;
}

/**
 * Opens an eager context.
 * @throws ByteifyError with TensorFlow's own message when the context cannot be created.
 */
export function openEagerContext(
  api: TensorFlowApi,
  status: Pointer,
  { threads, cluster }: ContextOptions,
): EagerContext {
  const options = api.TFE_NewContextOptions();
  if (threads !== undefined || cluster !== undefined) {
    const proto = Uint8Array.from([
      ...(threads === undefined ? [] : threadConfig(threads)),
      ...(cluster === undefined ? [] : collectiveConfig()),
    ]);
    api.TFE_ContextOptionsSetConfig(options, proto, proto.length, status);
    checkStatus(api, status, 'TFE_ContextOptionsSetConfig');
  }
  const handle = api.TFE_NewContext(options, status);
  api.TFE_DeleteContextOptions(options);
  checkStatus(api, status, 'TFE_NewContext');
  if (cluster !== undefined) enableCollectives(api, handle, status, cluster);
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
