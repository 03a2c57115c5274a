/** @module The model in training: variables of what is moved, with their moments, and of what is only read. */
import type { TensorSpec } from '../blt/index.js';
import type { tf, Variable } from '../engine/index.js';
import { loadVariable, type Params } from '../model/index.js';
import type { TensorReader } from '../safetensors/index.js';
import { createSlot, disposeSlot, type Moments, type ParameterGroup, type Slot } from './adamw.js';
import { groupOf, restoreSlots } from './checkpoint.js';
import type { Objective } from './objective.js';

export interface Trainee {
  /** Everything that is moved, the table last. */
  readonly slots: readonly Slot[];
  /** Those that every step moves. */
  readonly dense: readonly Slot[];
  /** The hash table, of which a step moves the rows it reads; null when it is not moved. */
  readonly table: Slot | null;
  /** What is read and not moved. */
  readonly fixed: ReadonlyMap<string, Variable>;
  /** All values as tensors, for measuring; the caller disposes them. The table has its spare row. */
  params(): Params;
  dispose(): void;
}

export interface TraineeOptions {
  readonly objective: Objective;
  readonly specs: readonly TensorSpec[];
  readonly learningRateScale: Readonly<Record<string, number>>;
  /** How moments are held. */
  readonly moments: Moments;
  readonly start: TensorReader;
  /** A run and the step of its checkpoint to go on from; null begins from `start`. */
  readonly from: { readonly run: string; readonly step: number } | null;
}

/** Padding of a step's rows is written to one row that nothing reads. */
const SPARE_ROWS = 1;

/** Loads the model into variables. */
export async function openTrainee(options: TraineeOptions): Promise<Trainee> {
  const { objective, specs, learningRateScale, moments, start, from } = options;
  const isTable = ({ part }: TensorSpec) => part === 'hash';
  const moved = specs.filter(objective.trains);
  const ordered = [...moved.filter((spec) => !isTable(spec)), ...moved.filter(isTable)];
  const kinds = ordered.map((spec) => ({
    name: spec.name,
    group: groupOf(spec, learningRateScale) as ParameterGroup,
    spareRows: isTable(spec) ? SPARE_ROWS : 0,
  }));
  const fixed = new Map<string, Variable>();
  let slots: Slot[] = [];
  if (from === null) {
    for (const { name, group, spareRows } of kinds)
      slots.push(createSlot(name, await loadVariable(start, name, { spareRows }), group, moments));
  } else {
    slots = await restoreSlots(from.run, from.step, kinds, moments);
  }
  for (const spec of specs.filter((candidate) => !objective.trains(candidate)))
    fixed.set(spec.name, await loadVariable(start, spec.name));
  const tableAt = moved.some(isTable) ? slots.length - 1 : slots.length;
  return {
    slots,
    dense: slots.slice(0, tableAt),
    table: slots[tableAt] ?? null,
    fixed,
    params: () => {
      const all = [...fixed, ...slots.map(({ name, value }): [string, Variable] => [name, value])];
      return new Map(all.map(([name, variable]): [string, tf.Tensor] => [name, variable.read()]));
    },
    dispose() {
      slots.forEach(disposeSlot);
      for (const variable of fixed.values()) variable.dispose();
    },
  };
}
