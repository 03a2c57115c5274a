/** @module A checkpoint of a run: a model folder with the optimizer's moments and the trainer's state beside it. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, type TensorSpec, toTransformersConfig, trainedByMuon } from '../../blt/index.js';
import { chunksOf, type Storage, type tf, type Variable } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { removeAtomic, writeFolderAtomic } from '../../fs/index.js';
import { loadVariable } from '../../model/index.js';
import {
  openCheckpoint,
  openSafetensorsFile,
  quoted,
  type TensorInfo,
  type TensorReader,
  tensorBytes,
  writeSafetensorsFile,
} from '../../safetensors/index.js';
import { systemCode } from '../../system-errors.js';
import {
  disposeParameterState,
  type Moments,
  momentStorage,
  type ParameterGroup,
  type ParameterState,
} from '../optimizers/adamw.js';
import { ofCheckpoint, parseTrainerState, type SavedState, type TrainerState } from './trainer-state.js';
import { writeWeights } from './write-weights.js';

const NAME = /^checkpoint-(\d+)$/;
const OPTIMIZER_FILE = 'optimizer.safetensors';
const STATE_FILE = 'trainer_state.json';

export type { TrainerState };

export function checkpointName(step: number): string {
  return `checkpoint-${String(step).padStart(6, '0')}`;
}

/** Steps that have a checkpoint in a run folder, oldest first. */
export async function checkpointSteps(run: string): Promise<number[]> {
  const names = await readdir(run).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** A value's bytes; it is disposed. A large table's variables have spare rows at the end, which the file does not. */
async function* bytesOf(value: tf.Tensor, info: TensorInfo): AsyncGenerator<Uint8Array> {
  try {
    let left = tensorBytes(info);
    for (const chunk of chunksOf(value)) {
      if (left > 0) yield chunk.subarray(0, Math.min(left, chunk.length));
      left -= chunk.length;
    }
  } finally {
    value.dispose();
  }
}

/**
 * Writes `run/checkpoint-STEP` and removes the oldest beyond `keep`. Trained tensors are float32, those with an adapter merged with it; the
 * others are as they were. Adapters themselves lie beside the moments.
 * @param params.start where the untrained tensors are read from
 * @param params.root what lies in this folder is not copied into the checkpoint, which names the place instead
 * @param params.mergedValue of a tensor that has an adapter; null of others
 */
export async function saveCheckpoint(params: {
  run: string;
  config: BltConfig;
  specs: readonly TensorSpec[];
  parameters: readonly ParameterState[];
  mergedValue: (name: string) => tf.Tensor | null;
  start: TensorReader;
  root: string;
  state: TrainerState;
  keep: number;
}): Promise<void> {
  const { run, config, specs, parameters, mergedValue, start, root, state, keep } = params;
  const trained = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  const float32 = (name: string, shape: readonly number[]): TensorInfo => ({ name, dtype: 'F32', shape });
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const adapted = (name: string) => trained.has(`${name.replace(/weight$/, 'lora_A.weight')}`);
  const isTrained = (name: string) => trained.has(name) || adapted(name);
  const tensors = specs.map(({ name, shape }) => (isTrained(name) ? float32(name, shape) : start.tensors.get(name)!));
  const moments = new Map(
    parameters.flatMap(({ name, value, first, second }): [string, { variable: Variable; info: TensorInfo }][] =>
      Object.entries({ first, ...(second && { second }), ...(!shapes.has(name) && { value }) }).map(
        ([which, variable]) => {
          const key = `${name}.${which}`;
          return [key, { variable, info: float32(key, shapes.get(name) ?? variable.shape) }];
        },
      ),
    ),
  );
  const path = join(run, checkpointName(state.step));
  await writeFolderAtomic(path, async (folder) => {
    await writeFile(
      join(folder, 'config.json'),
      `${JSON.stringify(toTransformersConfig(config, 'float32'), null, 2)}\n`,
    );
    const trainedBytes = (info: TensorInfo) => {
      const value = trained.get(info.name)?.value.read() ?? mergedValue(info.name);
      return value === null ? null : bytesOf(value, info);
    };
    await writeWeights({ folder, path, tensors, trained: trainedBytes, isTrained, start, root });
    const momentInfos = [...moments.values()].map(({ info }) => info);
    await writeSafetensorsFile(join(folder, OPTIMIZER_FILE), momentInfos, (info) =>
      bytesOf(moments.get(info.name)!.variable.read(), info),
    );
    await writeFile(join(folder, STATE_FILE), `${JSON.stringify(state, null, 2)}\n`);
  });
  for (const step of (await checkpointSteps(run)).slice(0, -keep)) {
    await removeAtomic(join(run, checkpointName(step)));
  }
}

/** The state of a checkpoint. @throws ByteifyError when it cannot be used. */
export async function readTrainerState(run: string, step: number): Promise<SavedState> {
  const folder = join(run, checkpointName(step));
  return parseTrainerState(folder, join(folder, STATE_FILE), step);
}

/** What a parameter is before its values are there. */
export interface ParameterKind {
  readonly name: string;
  readonly shape: readonly number[];
  readonly group: ParameterGroup;
  /** Rows of zeros that are added at the end. */
  readonly spareRows: number;
}

/** @throws ByteifyError when a tensor is missing, or has another shape or type than the run wants. */
function checkTensor(reader: TensorReader, { name, shape }: Pick<TensorInfo, 'name' | 'shape'>, folder: string): void {
  const found = reader.tensors.get(name);
  if (found === undefined) throw new ByteifyError(`${folder} lacks the tensor ${quoted(name)}.`);
  const show = (of: Pick<TensorInfo, 'dtype' | 'shape'>) => `${of.dtype} [${of.shape.join(', ')}]`;
  const [is, wanted] = [show(found), show({ dtype: 'F32', shape })];
  if (is !== wanted) throw new ByteifyError(`The tensor ${quoted(name)} of ${folder} is ${is}, not ${wanted}.`);
}

async function restore(folder: string, kinds: readonly ParameterKind[], moments: Moments): Promise<ParameterState[]> {
  const weights = await openCheckpoint(folder);
  const opened: TensorReader[] = [weights];
  const parameters: ParameterState[] = [];
  try {
    const optimizer = await openSafetensorsFile(join(folder, OPTIMIZER_FILE));
    opened.push(optimizer);
    // An adapter is no tensor of the model.
    const placeOf = (name: string) =>
      weights.tensors.has(name) ? ([weights, name] as const) : ([optimizer, `${name}.value`] as const);
    // All of them before any is loaded.
    for (const { name, shape, group } of kinds) {
      const [reader, value] = placeOf(name);
      checkTensor(reader, { name: value, shape }, folder);
      for (const [which, storage] of Object.entries(momentStorage(group, moments)))
        if (storage !== null) checkTensor(optimizer, { name: `${name}.${which}`, shape }, folder);
    }
    for (const { name, group, spareRows } of kinds) {
      const { first, second } = momentStorage(group, moments);
      const [reader, value] = placeOf(name);
      const moment = (which: string, storage: Storage) =>
        loadVariable(optimizer, `${name}.${which}`, { spareRows, storage });
      parameters.push({
        name,
        group,
        value: await loadVariable(reader, value, { spareRows }),
        first: await moment('first', first),
        second: second && (await moment('second', second)),
      });
    }
    return parameters;
  } catch (error) {
    parameters.forEach(disposeParameterState);
    throw error;
  } finally {
    for (const reader of opened) await reader.close();
  }
}

/**
 * The parameters of a checkpoint, made anew.
 * @throws ByteifyError naming what of the checkpoint is missing, cut short or of another shape
 */
export async function restoreParameterStates(
  run: string,
  step: number,
  kinds: readonly ParameterKind[],
  moments: Moments,
): Promise<ParameterState[]> {
  const folder = join(run, checkpointName(step));
  return ofCheckpoint(folder, restore(folder, kinds, moments));
}

/** What a run says of its parameters' groups. */
export interface GroupRates {
  /** By part. */
  readonly learningRateScale: Readonly<Record<string, number>>;
  /** Of the matrices of layers, which Muon moves; null where AdamW moves everything. */
  readonly muonScale: number | null;
}

/** A parameter's group from its tensor: norms and embeddings are not decayed. */
export function groupOf(spec: TensorSpec, { learningRateScale, muonScale }: GroupRates): ParameterGroup {
  const decay = spec.role === 'linear';
  if (muonScale !== null && trainedByMuon(spec)) return { learningRateScale: muonScale, decay, optimizer: 'muon' };
  return { learningRateScale: learningRateScale[spec.part] ?? 1, decay, optimizer: 'adamw' };
}
