/** @module The training state: variables for the trained parameters, with their optimizer moments, and for the frozen ones. */
import { type Adapter, adaptersOf, type Lora, type TensorSpec } from '../../blt/index.js';
import type { tf, Variable } from '../../engine/index.js';
import { loadFrozen, loadVariable, type Params } from '../../model/index.js';
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
import { type GroupRates, groupOf, type ParameterSpec, restoreParameterStates } from './checkpoint.js';

export interface TrainingState {
  /** All trained parameters; the hash table comes last. */
  readonly parameters: readonly ParameterState[];
  /** The parameters that every step updates completely. */
  readonly dense: readonly ParameterState[];
  /** The hash table, of which a step updates only the rows it reads; null if it is frozen. */
  readonly table: ParameterState | null;
  /** The tensors that are read and not trained. */
  readonly frozen: ReadonlyMap<string, Variable>;
  /** W + B A of a tensor with an adapter, which the caller disposes; null for any other tensor. */
  mergedValue(name: string): tf.Tensor | null;
  /** All values as tensors, for an evaluation. The caller disposes them. The hash table includes its spare row. */
  params(): Params;
  dispose(): void;
}

export interface TrainingStateOptions extends GroupRates {
  readonly objective: Objective;
  readonly specs: readonly TensorSpec[];
  readonly moments: Moments;
  /** For the random values of new adapters. */
  readonly seed: number;
  readonly start: TensorReader;
  /** The run and step of a checkpoint to resume from; null begins from `start`. */
  readonly from: { readonly run: string; readonly step: number } | null;
  /** The source's tensors, if the loss reads them. They are disposed with the training state. */
  readonly sourceTensors?: ReadonlyMap<string, Variable>;
}

/** The padding of sparse row indices points to one extra row at the end, which nothing reads. */
const SPARE_ROWS = 1;

const isTable = ({ part }: TensorSpec): boolean => part === 'hash';

/** The matrices of an adapter: AdamW trains both, neither has weight decay, and B's learning rate is multiplied by alpha / rank (see lora.ts). */
function adapterSpecs({ a, b }: Adapter, lora: Lora, scale: number): ParameterSpec[] {
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

/** Loads or restores the parameters. @throws ByteifyError when a tensor is missing or a checkpoint is damaged. */
export async function openTrainingState(options: TrainingStateOptions): Promise<TrainingState> {
  const { objective, specs, learningRateScale, moments, seed, start, from, sourceTensors } = options;
  const { lora } = objective;
  const adapters = lora === null ? [] : adaptersOf(specs, lora);
  const trained = specs.filter(objective.trains);
  const parameterSpec = (spec: TensorSpec): ParameterSpec => ({
    name: spec.name,
    shape: spec.shape,
    group: groupOf(spec, options),
    spareRows: isTable(spec) ? SPARE_ROWS : 0,
  });
  const own = trained.filter((spec) => !isTable(spec)).map(parameterSpec);
  const tables = trained.filter(isTable).map(parameterSpec);
  const adapterParameters = adapters.flatMap((adapter) => adapterSpecs(adapter, lora!, learningRateScale.global ?? 1));
  const parameterSpecs = [...own, ...adapterParameters, ...tables];

  async function freshParameters(): Promise<ParameterState[]> {
    const load = async (list: readonly ParameterSpec[]) => {
      const parameters: ParameterState[] = [];
      for (const { name, group, spareRows } of list)
        parameters.push(createParameterState(name, await loadVariable(start, name, { spareRows }), group, moments));
      return parameters;
    };
    const fresh = adapters.flatMap((adapter, i) => Object.values(freshAdapter(adapter, seed, i)));
    const added = adapterParameters.map(({ name, group }, i) => createParameterState(name, fresh[i]!, group, moments));
    return [...(await load(own)), ...added, ...(await load(tables))];
  }

  const parameters =
    from === null
      ? await freshParameters()
      : await restoreParameterStates(from.run, from.step, parameterSpecs, moments);
  const frozen = new Map<string, Variable>(sourceTensors);
  for (const spec of specs.filter((candidate) => !objective.trains(candidate)))
    frozen.set(spec.name, await loadFrozen(start, spec));
  const values = new Map(parameters.map(({ name, value }) => [name, value]));
  const byBase = new Map(adapters.map((adapter) => [adapter.base.name, adapter]));
  return {
    parameters,
    dense: parameters.slice(0, parameters.length - tables.length),
    table: parameters[parameters.length - tables.length] ?? null,
    frozen,
    mergedValue(name) {
      const adapter = byBase.get(name);
      if (adapter === undefined) return null;
      return merged(frozen.get(name)!, { a: values.get(adapter.a.name)!, b: values.get(adapter.b.name)! });
    },
    params: () =>
      new Map([...frozen, ...values].map(([name, variable]): [string, tf.Tensor] => [name, variable.readFrozen()])),
    dispose() {
      parameters.forEach(disposeParameterState);
      for (const variable of frozen.values()) variable.dispose();
    },
  };
}
