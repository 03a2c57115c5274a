/** @module CompileOptionsProto (xla/pjrt/proto/compile_options.proto), the part that is used. */
import { integer, message } from '../protobuf.js';

/** An option of XLA's DebugOptions, such as `xla_gpu_autotune_level`. A bigint is an integer. */
export type XlaOption = string | bigint | boolean;

export interface CompileOptions {
  /** Devices that the program is partitioned over. @default 1 */
  readonly partitions?: number;
  /** XLA's DebugOptions by name. */
  readonly xla?: Readonly<Record<string, XlaOption>>;
}

/** OptionOverrideProto. */
function overrideOf(value: XlaOption): number[] {
  if (typeof value === 'string') return message(1, value);
  return typeof value === 'boolean' ? integer(2, value ? 1 : 0) : integer(3, value);
}

/** @returns the serialized CompileOptionsProto */
export function encodeCompileOptions({ partitions = 1, xla = {} }: CompileOptions): Uint8Array {
  const sharded = partitions > 1 ? [...integer(6, 1), ...integer(19, 1)] : []; // use_spmd_partitioning, use_shardy_partitioner
  // ExecutableBuildOptionsProto: device_ordinal -1 (any), num_replicas, num_partitions.
  const build = [...integer(1, -1), ...integer(4, 1), ...integer(5, partitions), ...sharded];
  const overrides = Object.entries(xla).flatMap(([name, value]) =>
    message(7, [...message(1, name), ...message(2, overrideOf(value))]),
  );
  return Uint8Array.from([...message(3, build), ...overrides]);
}
