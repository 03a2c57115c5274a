/** @module A checkpoint of a run: a whole model folder with the optimizer's moments and the trainer's state beside it. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, movedByMuon, type TensorSpec, toTransformersConfig } from '../../blt/index.js';
import type { PackerState } from '../../data/index.js';
import { chunksOf, type StepMode, type Storage, type tf, type Variable } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { writeFolderAtomic } from '../../fs/index.js';
import { loadVariable } from '../../model/index.js';
import {
  openCheckpoint,
  openSafetensorsFile,
  type TensorInfo,
  type TensorReader,
  tensorBytes,
  tensorPieces,
  writeCheckpoint,
  writeSafetensorsFile,
} from '../../safetensors/index.js';
import type { Capacity } from '../batches/capacity.js';
import { type Moments, momentStorage, type ParameterGroup, type Slot } from '../optimizers/adamw.js';

/** What a resumed run needs beside the weights. */
export interface TrainerState {
  readonly step: number;
  readonly packer: PackerState;
  /** The shapes that a step was traced with. */
  readonly room: Capacity;
  /** Floating-point operations so far, the source's included. */
  readonly flops: number;
  /** How steps run: going on, they run the same way. */
  readonly mode: StepMode;
  /** Of the last look at the held-out text. */
  readonly metrics: Readonly<Record<string, number>>;
  /** A digest of the settings that must not change between sittings. */
  readonly settings: string;
}

const NAME = /^checkpoint-(\d+)$/;
const OPTIMIZER_FILE = 'optimizer.safetensors';
const STATE_FILE = 'trainer_state.json';

export function checkpointName(step: number): string {
  return `checkpoint-${String(step).padStart(6, '0')}`;
}

/** Steps that have a checkpoint in a run folder, oldest first. */
export async function checkpointSteps(run: string): Promise<number[]> {
  const names = await readdir(run).catch(() => [] as string[]);
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
 * others are copied as they were. Adapters themselves lie beside the moments.
 * @param params.start where the untrained tensors are read from. @param params.mergedValue of a tensor that has an adapter; null of others.
 */
export async function saveCheckpoint(params: {
  run: string;
  config: BltConfig;
  specs: readonly TensorSpec[];
  slots: readonly Slot[];
  mergedValue: (name: string) => tf.Tensor | null;
  start: TensorReader;
  state: TrainerState;
  keep: number;
}): Promise<void> {
  const { run, config, specs, slots, mergedValue, start, state, keep } = params;
  const trained = new Map(slots.map((slot) => [slot.name, slot]));
  const float32 = (name: string, shape: readonly number[]): TensorInfo => ({ name, dtype: 'F32', shape });
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const adapted = (name: string) => trained.has(`${name.replace(/weight$/, 'lora_A.weight')}`);
  const infos = specs.map(({ name, shape }) =>
    trained.has(name) || adapted(name) ? float32(name, shape) : start.tensors.get(name)!,
  );
  const moments = new Map(
    slots.flatMap(({ name, value, first, second }): [string, { variable: Variable; info: TensorInfo }][] =>
      Object.entries({ first, ...(second && { second }), ...(!shapes.has(name) && { value }) }).map(
        ([which, variable]) => {
          const key = `${name}.${which}`;
          return [key, { variable, info: float32(key, shapes.get(name) ?? variable.shape) }];
        },
      ),
    ),
  );
  await writeFolderAtomic(join(run, checkpointName(state.step)), async (folder) => {
    await writeFile(
      join(folder, 'config.json'),
      `${JSON.stringify(toTransformersConfig(config, 'float32'), null, 2)}\n`,
    );
    await writeCheckpoint(folder, infos, (info) => {
      const slot = trained.get(info.name);
      if (slot !== undefined) return bytesOf(slot.value.read(), info);
      const value = mergedValue(info.name);
      return value === null ? tensorPieces(start, start.tensors.get(info.name)!) : bytesOf(value, info);
    });
    const momentInfos = [...moments.values()].map(({ info }) => info);
    await writeSafetensorsFile(join(folder, OPTIMIZER_FILE), momentInfos, (info) =>
      bytesOf(moments.get(info.name)!.variable.read(), info),
    );
    await writeFile(join(folder, STATE_FILE), `${JSON.stringify(state, null, 2)}\n`);
  });
  for (const step of (await checkpointSteps(run)).slice(0, -keep)) {
    await rm(join(run, checkpointName(step)), { recursive: true, force: true });
  }
}

/** The state of a checkpoint. */
export async function readTrainerState(run: string, step: number): Promise<TrainerState> {
  const path = join(run, checkpointName(step), STATE_FILE);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as TrainerState;
  } catch (cause) {
    throw new ByteifyError(`${path} cannot be read.`, {
      hint: 'Remove that checkpoint folder to go on from the one before.',
      cause,
    });
  }
}

/** What a slot is before its values are there. */
export interface SlotKind {
  readonly name: string;
  readonly group: ParameterGroup;
  /** Rows of zeros that are added at the end. */
  readonly spareRows: number;
}

/** The slots of a checkpoint, made anew. */
export async function restoreSlots(
  run: string,
  step: number,
  kinds: readonly SlotKind[],
  moments: Moments,
): Promise<Slot[]> {
  const folder = join(run, checkpointName(step));
  const weights = await openCheckpoint(folder);
  const optimizer = await openSafetensorsFile(join(folder, OPTIMIZER_FILE));
  try {
    const slots: Slot[] = [];
    for (const { name, group, spareRows } of kinds) {
      const { first, second } = momentStorage(group, moments);
      const moment = (which: string, storage: Storage) =>
        loadVariable(optimizer, `${name}.${which}`, { spareRows, storage });
      slots.push({
        name,
        group,
        value: await (weights.tensors.has(name)
          ? loadVariable(weights, name, { spareRows })
          : loadVariable(optimizer, `${name}.value`)),
        first: await moment('first', first),
        second: second && (await moment('second', second)),
      });
    }
    return slots;
  } finally {
    await weights.close();
    await optimizer.close();
  }
}

/** What a run says of its parameters' groups. */
export interface GroupRates {
  /** By part. */
  readonly learningRateScale: Readonly<Record<string, number>>;
  /** Of the matrices of layers, which Muon moves; null where AdamW moves everything. */
  readonly muonScale: number | null;
}

/** A slot's group from its tensor: norms and embeddings are not decayed. */
export function groupOf(spec: TensorSpec, { learningRateScale, muonScale }: GroupRates): ParameterGroup {
  const decay = spec.role === 'linear';
  if (muonScale !== null && movedByMuon(spec)) return { learningRateScale: muonScale, decay, optimizer: 'muon' };
  return { learningRateScale: learningRateScale[spec.part] ?? 1, decay, optimizer: 'adamw' };
}
