/** @module A checkpoint of a run: a model folder that also contains the optimizer moments and the trainer's state. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, configText, type TensorSpec, toTransformersConfig, trainedByMuon } from '../../blt/index.js';
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
import { parseTrainerState, type SavedState, type TrainerState, withCheckpointHint } from './trainer-state.js';
import { writeWeights } from './write-weights.js';

const NAME = /^checkpoint-(\d+)$/;
const OPTIMIZER_FILE = 'optimizer.safetensors';
const STATE_FILE = 'trainer_state.json';

export type { TrainerState };

export function checkpointName(step: number): string {
  return `checkpoint-${String(step).padStart(6, '0')}`;
}

/** The steps whose checkpoints are in a run folder, oldest first. */
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

/** The bytes of a tensor, which is disposed. Hash tables have spare rows at the end of their variables; the file leaves them out. */
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
 * Writes `run/checkpoint-STEP` and removes the oldest checkpoints beyond `keep`. Trained tensors are written as float32, and those with an
 * adapter are merged with it. All other tensors keep their dtype. The adapters themselves are stored with the optimizer moments.
 * @param params.start where untrained tensors are read from
 * @param params.root tensors stored in this folder are not copied; the checkpoint refers to their files
 * @param params.mergedValue returns W + B A of a tensor with an adapter, and null for other tensors
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
    await writeFile(join(folder, 'config.json'), configText(toTransformersConfig(config, 'float32')));
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

/** Reads the trainer's state of a checkpoint. @throws ByteifyError when the file is missing, damaged or of another step. */
export async function readTrainerState(run: string, step: number): Promise<SavedState> {
  const folder = join(run, checkpointName(step));
  return parseTrainerState(folder, join(folder, STATE_FILE), step);
}

/** A parameter before its values are loaded. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly group: ParameterGroup;
  /** Rows of zeros appended to the variables. */
  readonly spareRows: number;
}

/** @throws ByteifyError when a tensor is missing or does not have the shape and dtype that the run expects. */
function checkTensor(reader: TensorReader, { name, shape }: Pick<TensorInfo, 'name' | 'shape'>, folder: string): void {
  const found = reader.tensors.get(name);
  if (found === undefined) throw new ByteifyError(`${folder} lacks the tensor ${quoted(name)}.`);
  const show = (of: Pick<TensorInfo, 'dtype' | 'shape'>) => `${of.dtype} [${of.shape.join(', ')}]`;
  const [is, wanted] = [show(found), show({ dtype: 'F32', shape })];
  if (is !== wanted) throw new ByteifyError(`The tensor ${quoted(name)} of ${folder} is ${is}, not ${wanted}.`);
}

async function restore(
  folder: string,
  parameterSpecs: readonly ParameterSpec[],
  moments: Moments,
): Promise<ParameterState[]> {
  const weights = await openCheckpoint(folder);
  const opened: TensorReader[] = [weights];
  const parameters: ParameterState[] = [];
  try {
    const optimizer = await openSafetensorsFile(join(folder, OPTIMIZER_FILE));
    opened.push(optimizer);
    // Adapters are not tensors of the model.
    const locationOf = (name: string) =>
      weights.tensors.has(name) ? ([weights, name] as const) : ([optimizer, `${name}.value`] as const);
    // Check every tensor before loading any.
    for (const { name, shape, group } of parameterSpecs) {
      const [reader, value] = locationOf(name);
      checkTensor(reader, { name: value, shape }, folder);
      for (const [which, storage] of Object.entries(momentStorage(group, moments)))
        if (storage !== null) checkTensor(optimizer, { name: `${name}.${which}`, shape }, folder);
    }
    for (const { name, group, spareRows } of parameterSpecs) {
      const { first, second } = momentStorage(group, moments);
      const [reader, value] = locationOf(name);
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
 * Restores the parameters of a checkpoint with their moments.
 * @throws ByteifyError naming the tensor or file that is missing, truncated or of another shape
 */
export async function restoreParameterStates(
  run: string,
  step: number,
  parameterSpecs: readonly ParameterSpec[],
  moments: Moments,
): Promise<ParameterState[]> {
  const folder = join(run, checkpointName(step));
  return withCheckpointHint(folder, restore(folder, parameterSpecs, moments));
}

/** The settings of a run that determine the groups of its parameters. */
export interface GroupRates {
  /** A factor on the learning rate for each part of the model; 1 for parts that are not listed. */
  readonly learningRateScale: Readonly<Record<string, number>>;
  /** Muon's learning rate relative to AdamW's; null if AdamW updates everything. Factors by part apply to both. */
  readonly muonScale: number | null;
}

/** The group of a tensor. Norms and embeddings have no weight decay. */
export function groupOf(spec: TensorSpec, { learningRateScale, muonScale }: GroupRates): ParameterGroup {
  const decay = spec.role === 'linear';
  const scale = learningRateScale[spec.part] ?? 1;
  if (muonScale !== null && trainedByMuon(spec))
    return { learningRateScale: scale * muonScale, decay, optimizer: 'muon' };
  return { learningRateScale: scale, decay, optimizer: 'adamw' };
}
