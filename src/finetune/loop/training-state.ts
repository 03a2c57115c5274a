/** @module The model in training: variables of what is moved, with their moments, and of what is only read. */
import { type Adapter, adaptersOf, type Lora, type TensorSpec } from '../../blt/index.js';
import type { tf, Variable } from '../../engine/index.js';
import { loadVariable, type Params } from '../../model/index.js';
import type { TensorReader } from '../../safetensors/index.js';
import { createSlot, disposeSlot, type Moments, type ParameterGroup, type Slot } from '../optimizers/adamw.js';
import { freshAdapter, merged } from '../optimizers/lora.js';
import type { Objective } from '../stages/objective.js';
import { type GroupRates, groupOf, restoreSlots, type SlotKind } from './checkpoint.js';

export interface Trainee {
  /** Everything that is moved, the table last. */
  readonly slots: readonly Slot[];
  /** Those that every step moves. */
  readonly dense: readonly Slot[];
  /** The hash table, of which a step moves the rows it reads; null when it is not moved. */
  readonly table: Slot | null;
  /** What is read and not moved. */
  readonly fixed: ReadonlyMap<string, Variable>;
  /** The value of a tensor that has an adapter, with it; null of any other. The caller disposes it. */
  mergedValue(name: string): tf.Tensor | null;
  /** All values as tensors, for measuring; the caller disposes them. The table has its spare row. */
  params(): Params;
  dispose(): void;
}

export interface TraineeOptions extends GroupRates {
  readonly objective: Objective;
  readonly specs: readonly TensorSpec[];
  readonly moments: Moments;
  /** Of fresh adapters. */
  readonly seed: number;
  readonly start: TensorReader;
  /** A run and the step of its checkpoint to go on from; null begins from `start`. */
  readonly from: { readonly run: string; readonly step: number } | null;
  /** Tensors beside the model's own that are read; they are disposed with it. */
  readonly beside?: ReadonlyMap<string, Variable>;
}

/** Padding of a step's rows is written to one row that nothing reads. */
const SPARE_ROWS = 1;

const isTable = ({ part }: TensorSpec): boolean => part === 'hash';

/** An adapter's groups: neither is decayed, and B learns as much faster as the product is scaled. */
function adapterKinds({ a, b }: Adapter, lora: Lora, scale: number): SlotKind[] {
  const group = (learningRateScale: number): ParameterGroup => ({
    learningRateScale,
    decay: false,
    optimizer: 'adamw',
  });
  return [
    { name: a.name, shape: a.shape, group: group(scale), spareRows: 0 },
    { name: b.name, shape: b.shape, group: group((scale * lora.alpha) / lora.rank), spareRows: 0 },
  ];
}

/** A frozen matrix that the checkpoint has in bfloat16 is held so, which loses nothing. */
async function loadFixed(start: TensorReader, { name, role }: TensorSpec): Promise<Variable> {
  const narrow = role === 'linear' && start.tensors.get(name)?.dtype === 'BF16';
  return await loadVariable(start, name, { storage: narrow ? 'bfloat16' : 'float32' });
}

/** Loads the model into variables. */
export async function openTrainee(options: TraineeOptions): Promise<Trainee> {
  const { objective, specs, learningRateScale, moments, seed, start, from, beside } = options;
  const { lora } = objective;
  const adapters = lora === null ? [] : adaptersOf(specs, lora);
  const moved = specs.filter(objective.trains);
  const kindOf = (spec: TensorSpec): SlotKind => ({
    name: spec.name,
    shape: spec.shape,
    group: groupOf(spec, options),
    spareRows: isTable(spec) ? SPARE_ROWS : 0,
  });
  const own = moved.filter((spec) => !isTable(spec)).map(kindOf);
  const tables = moved.filter(isTable).map(kindOf);
  const ofAdapters = adapters.flatMap((adapter) => adapterKinds(adapter, lora!, learningRateScale.global ?? 1));
  const kinds = [...own, ...ofAdapters, ...tables];

  async function freshSlots(): Promise<Slot[]> {
    const load = async (list: readonly SlotKind[]) => {
      const slots: Slot[] = [];
      for (const { name, group, spareRows } of list)
        slots.push(createSlot(name, await loadVariable(start, name, { spareRows }), group, moments));
      return slots;
    };
    const fresh = adapters.flatMap((adapter, i) => Object.values(freshAdapter(adapter, seed, i)));
    const added = ofAdapters.map(({ name, group }, i) => createSlot(name, fresh[i]!, group, moments));
    return [...(await load(own)), ...added, ...(await load(tables))];
  }

  const slots = from === null ? await freshSlots() : await restoreSlots(from.run, from.step, kinds, moments);
  const fixed = new Map<string, Variable>(beside);
  for (const spec of specs.filter((candidate) => !objective.trains(candidate)))
    fixed.set(spec.name, await loadFixed(start, spec));
  const values = new Map(slots.map(({ name, value }) => [name, value]));
  const byBase = new Map(adapters.map((adapter) => [adapter.base.name, adapter]));
  return {
    slots,
    dense: slots.slice(0, slots.length - tables.length),
    table: slots[slots.length - tables.length] ?? null,
    fixed,
    mergedValue(name) {
      const adapter = byBase.get(name);
      if (adapter === undefined) return null;
      return merged(fixed.get(name)!, { a: values.get(adapter.a.name)!, b: values.get(adapter.b.name)! });
    },
    params: () =>
      new Map([...fixed, ...values].map(([name, variable]): [string, tf.Tensor] => [name, variable.readHeld()])),
    dispose() {
      slots.forEach(disposeSlot);
      for (const variable of fixed.values()) variable.dispose();
    },
  };
}
