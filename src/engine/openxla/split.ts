/**
 * @module How a value lies on several devices: whole on each of them, or divided along one axis. Programs compute the same either way: XLA's
 * partitioner (Shardy) moves what a device lacks. Dividing saves memory and work.
 */
import type { StableHloFunction } from '../stablehlo/function.js';
import type { Sharding, Split } from '../stablehlo/sharding.js';
import { byteCountOf } from './byte-count.js';

export type { Split };

/** Smaller values are whole on each device: moving them would cost more than it saves. */
const MIN_BYTES = 4096;

/** The devices of a runtime, and what lies on them. */
export interface Layout {
  readonly devices: number;
  /** Whether variables are divided as well: weights, sums of gradients and moments ("fully sharded"). Otherwise each device has them whole. */
  readonly dividesVariables: boolean;
}

export const ONE_DEVICE: Layout = { devices: 1, dividesVariables: false };

/** One result for each device of a layout. */
export const perDevice = <T>({ devices }: Layout, of: (device: number) => T): T[] =>
  Array.from({ length: devices }, (_, device) => of(device));

/** What the size of a value depends on. */
export type Content = { readonly shape: readonly number[]; readonly dtype: number };

/** The first axis that the devices can share equally. Of a batch, this is the axis of rows. */
export function splitOf({ devices }: Layout, content: Content): Split {
  if (devices === 1 || byteCountOf(content) < MIN_BYTES) return null;
  const axis = content.shape.findIndex((extent) => extent % devices === 0);
  return axis < 0 ? null : axis;
}

/** The same for a variable. */
export const variableSplitOf = (layout: Layout, content: Content): Split =>
  layout.dividesVariables ? splitOf(layout, content) : null;

/** Bytes of one device's part. */
export const partBytes = ({ devices }: Layout, content: Content, split: Split): number =>
  byteCountOf(content) / (split === null ? 1 : devices);

/**
 * How the parameters and results of a function lie on the devices. Null for one device.
 * @param parameters if known; else variables are divided if the layout divides them, and everything else is
 */
export function shardingOf(layout: Layout, fn: StableHloFunction, parameters?: readonly Split[]): Sharding | null {
  if (layout.devices === 1) return null;
  const given =
    parameters ??
    fn.parameters.map((parameter) => (parameter.isVariable ? variableSplitOf : splitOf)(layout, parameter));
  const results = fn.results.map((result) => splitOf(layout, result));
  fn.parameters.forEach(({ update }, i) => {
    if (update !== null) results[update] = given[i]!;
  });
  return { devices: layout.devices, parameters: given, results };
}

/** The shape of one device's part. */
export const partShape = (shape: readonly number[], split: Split, devices: number): readonly number[] =>
  split === null ? shape : shape.map((extent, axis) => (axis === split ? extent / devices : extent));

/** One device's part of a value. */
export interface Part {
  readonly split: number;
  readonly devices: number;
  readonly device: number;
}

/** A part of a row-major value consists of equal runs of bytes: how many, how long, and where each begins in the whole. */
function runsOf({ shape, dtype }: Content, { split, devices, device }: Part) {
  const count = shape.slice(0, split).reduce((product, extent) => product * extent, 1);
  const bytes = byteCountOf({ shape, dtype }) / count / devices;
  return { count, bytes, at: (run: number) => (run * devices + device) * bytes };
}

/** The bytes of a part. Where they are consecutive, no copy is made. */
export function partOf(whole: Uint8Array, content: Content, which: Part): Uint8Array {
  const { count, bytes, at } = runsOf(content, which);
  if (count === 1) return whole.subarray(at(0), at(0) + bytes);
  const part = new Uint8Array(count * bytes);
  for (let run = 0; run < count; run++) part.set(whole.subarray(at(run), at(run) + bytes), run * bytes);
  return part;
}

/** The reverse: writes a part into the bytes of the whole value. */
export function putPart(part: Uint8Array, content: Content, which: Part, whole: Uint8Array): void {
  const { count, bytes, at } = runsOf(content, which);
  for (let run = 0; run < count; run++) whole.set(part.subarray(run * bytes, (run + 1) * bytes), at(run));
}
