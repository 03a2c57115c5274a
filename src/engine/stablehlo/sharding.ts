/** @module The annotations by which XLA's partitioner (Shardy) divides a program over devices. There is one mesh with one axis: all devices. */

/** The axis along which a value is divided over all devices. Null: it is whole on each. */
export type Split = number | null;

/** How a function's parameters and results lie on the devices. */
export interface Sharding {
  readonly devices: number;
  readonly parameters: readonly Split[];
  readonly results: readonly Split[];
}

/** The attribute of the module. */
export const moduleAttributes = (devices: number): string =>
  `attributes { mhlo.num_partitions = ${devices} : i32, mhlo.num_replicas = 1 : i32 } `;

export const meshLine = (devices: number): string => `  sdy.mesh @mesh = <["devices"=${devices}]>`;

/** How a value lies on the mesh. */
export function divisionOf(rank: number, split: Split): string {
  const axes = Array.from({ length: rank }, (_, axis) => (axis === split ? '{"devices"}' : '{}'));
  return `<@mesh, [${axes.join(', ')}]>`;
}

/** The attribute of a parameter or result. */
export const shardingAttribute = (rank: number, split: Split): string =>
  `sdy.sharding = #sdy.sharding${divisionOf(rank, split)}`;
