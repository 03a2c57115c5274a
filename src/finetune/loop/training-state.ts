/** @module The model in training: variables of what is moved, with their moments, and of what is only read. */
import { type Adapter, adaptersOf, type Lora, type TensorSpec } from '../../blt/index.js';
import type { tf, Variable } from '../../engine/index.js';
import { loadVariable, type Params } from '../../model/index.js';
import type { TensorReader } from '../../safetensors/index.js';
import {
  createParameterState,
  disposeParameterState,
  type Moments,
  type ParameterGroup,
  type ParameterState,
} from '../optimizers/adamw.js';
import { freshAdapter, merged } from '../optimizers/lora.js';
import type { Objective } from '../stages/objective.js';
import { type GroupRates, groupOf, type ParameterKind, restoreParameterStates } from './checkpoint.js';

export interface TrainingState {
  /** Everything that is moved, the table last. */
  readonly parameters: readonly ParameterState[];
  /** Those that every step moves. */
  readonly dense: readonly ParameterState[];
  /** The hash table, of which a step moves the rows it reads; null when it is not moved. */
  readonly table: ParameterState | null;
  /** What is read and not moved. */
  readonly fixed: ReadonlyMap<string, Variable>;
  /** The value of a tensor that has an adapter, with it; null of any other. The caller disposes it. */
  mergedValue(name: string): tf.Tensor | null;
  /** All values as tensors, for measuring; the caller disposes them. The table has its spare row. */
  params(): Params;
  dispose(): void;
}

export interface TrainingStateOptions extends GroupRates {
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
function adapterKinds({ a, b }: Adapter, lora: Lora, scale: number): ParameterKind[] {
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
export async function openTrainingState(options: TrainingStateOptions): Promise<TrainingState> {
  const { objective, specs, learningRateScale, moments, seed, start, from, beside } = options;
  const { lora } = objective;
  const adapters = lora === null ? [] : adaptersOf(specs, lora);
  const moved = specs.filter(objective.trains);
  const kindOf = (spec: TensorSpec): ParameterKind => ({
    name: spec.name,
    shape: spec.shape,
    group: groupOf(spec, options),
    spareRows: isTable(spec) ? SPARE_ROWS : 0,
  });
  const own = moved.filter((spec) => !isTable(spec)).map(kindOf);
  const tables = moved.filter(isTable).map(kindOf);
  const ofAdapters = adapters.flatMap((adapter) => adapterKinds(adapter, lora!, learningRateScale.global ?? 1));
  const kinds = [...own, ...ofAdapters, ...tables];

  async function freshParameters(): Promise<ParameterState[]> {
    const load = async (list: readonly ParameterKind[]) => {
      const parameters: ParameterState[] = [];
      for (const { name, group, spareRows } of list)
        parameters.push(createParameterState(name, await loadVariable(start, name, { spareRows }), group, moments));
      return parameters;
    };
    const fresh = adapters.flatMap((adapter, i) => Object.values(freshAdapter(adapter, seed, i)));
    const added = ofAdapters.map(({ name, group }, i) => createParameterState(name, fresh[i]!, group, moments));
    return [...(await load(own)), ...added, ...(await load(tables))];
  }

  const parameters =
    from === null ? await freshParameters() : await restoreParameterStates(from.run, from.step, kinds, moments);
  const fixed = new Map<string, Variable>(beside);
  for (const spec of specs.filter((candidate) => !objective.trains(candidate)))
    fixed.set(spec.name, await loadFixed(start, spec));
  const values = new Map(parameters.map(({ name, value }) => [name, value]));
  const byBase = new Map(adapters.map((adapter) => [adapter.base.name, adapter]));
  return {
    parameters,
    dense: parameters.slice(0, parameters.length - tables.length),
    table: parameters[parameters.length - tables.length] ?? null,
    fixed,
    mergedValue(name) {
      const adapter = byBase.get(name);
      if (adapter === undefined) return null;
      return merged(fixed.get(name)!, { a: values.get(adapter.a.name)!, b: values.get(adapter.b.name)! });
    },
    params: () =>
      new Map([...fixed, ...values].map(([name, variable]): [string, tf.Tensor] => [name, variable.readFrozen()])),
    dispose() {
      parameters.forEach(disposeParameterState);
      for (const variable of fixed.values()) variable.dispose();
    },
  };
}
