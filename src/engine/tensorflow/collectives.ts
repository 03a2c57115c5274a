/**
 * @module TensorFlow's collective operations between processes, over gRPC: every process runs a server, and the servers find each other by a list of
 * addresses. The messages are those of tensorflow/core/protobuf: ConfigProto, ServerDef and ClusterDef.
 */
import { type Attribute, attribute } from '../attributes.js';
import { DataType } from '../data-type.js';
import type { Cluster, Pointer } from '../executor.js';
import { integer, message } from '../protobuf.js';
import { checkStatus } from './check-status.js';
import type { TensorFlowApi } from './native.js';

const JOB = 'worker';
const LEADER = `/job:${JOB}/replica:0/task:0`;

/** Fields of ConfigProto: experimental (16) with collective_group_leader (1), the process that resolves groups and instances. */
export const collectiveConfig = (): number[] => message(16, message(1, LEADER));

/** ServerDef: cluster (1), job_name (2), task_index (3), default_session_config (4), protocol (5). ClusterDef has jobs (1) of tasks (2). */
export function serverDef({ rank, addresses }: Cluster): Uint8Array {
  const tasks = addresses.flatMap((address, i) => message(2, [...integer(1, i), ...message(2, address)]));
  const cluster = message(1, [...message(1, JOB), ...tasks]);
  return Uint8Array.from([
    ...message(1, cluster),
    ...message(2, JOB),
    ...integer(3, rank),
    ...message(4, collectiveConfig()),
    ...message(5, 'grpc'),
  ]);
}

/**
 * Starts this process's server.
 * @throws ByteifyError with TensorFlow's own message, for example when the port is taken.
 */
export function enableCollectives(api: TensorFlowApi, context: Pointer, status: Pointer, cluster: Cluster): void {
  const definition = serverDef(cluster);
  api.TFE_EnableCollectiveOps(context, definition, definition.length, status);
  checkStatus(api, status, 'TFE_EnableCollectiveOps');
}

/** A sum over all processes, in a ring. */
export const SUM_OPERATION = 'CollectiveReduceV2';
export const SUM_ATTRIBUTES: readonly Attribute[] = [
  attribute.nativeType('T', DataType.float32),
  attribute.string('merge_op', 'Add'),
  attribute.string('final_op', 'Id'),
  attribute.string('communication_hint', 'ring'),
  attribute.int('Nordering_token', 0),
];

/** All processes form one group. */
export const GROUP_KEY = 1;
