/** @module A checkpoint of a run: a whole model folder with the optimizer's moments and the trainer's state beside it. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, type TensorSpec, toTransformersConfig } from '../blt/index.js';
import { writeFolderAtomic } from '../conversion/index.js';
import type { PackerState } from '../data/index.js';
import type { tf } from '../engine/index.js';
import { ByteifyError } from '../errors.js';
import { loadParams } from '../model/index.js';
import {
  openCheckpoint,
  openSafetensorsFile,
  type TensorInfo,
  type TensorReader,
  writeCheckpoint,
  writeSafetensorsFile,
} from '../safetensors/index.js';
import { disposeSlot, type ParameterGroup, type Slot } from './adamw.js';

/** What a resumed run needs beside the weights. */
export interface TrainerState {
  readonly step: number;
  readonly packer: PackerState;
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

const float32 = (name: string, tensor: tf.Tensor): TensorInfo => ({ name, dtype: 'F32', shape: tensor.shape });
function bytes(tensor: tf.Tensor): Uint8Array {
  const values = tensor.dataSync();
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Writes `run/checkpoint-STEP` and removes the oldest beyond `keep`. Trained tensors are float32; the others are copied as they were.
 * @param params.start where the untrained tensors are read from.
 */
export async function saveCheckpoint(params: {
  run: string;
  config: BltConfig;
  specs: readonly TensorSpec[];
  slots: readonly Slot[];
  start: TensorReader;
  state: TrainerState;
  keep: number;
}): Promise<void> {
  const { run, config, specs, slots, start, state, keep } = params;
  const trained = new Map(slots.map((slot) => [slot.name, slot]));
  const infos = specs.map(({ name }) => {
    const slot = trained.get(name);
    return slot === undefined ? start.tensors.get(name)! : float32(name, slot.value);
  });
  const moments = new Map(
    slots.flatMap(({ name, first, second }): [string, tf.Tensor][] => [
      [`${name}.first`, first],
      [`${name}.second`, second],
    ]),
  );
  await writeFolderAtomic(join(run, checkpointName(state.step)), async (folder) => {
    await writeFile(
      join(folder, 'config.json'),
      `${JSON.stringify(toTransformersConfig(config, 'float32'), null, 2)}\n`,
    );
    await writeCheckpoint(folder, infos, ({ name }) => {
      const slot = trained.get(name);
      return slot === undefined ? start.read(name) : bytes(slot.value);
    });
    const momentInfos = [...moments].map(([name, tensor]) => float32(name, tensor));
    await writeSafetensorsFile(join(folder, OPTIMIZER_FILE), momentInfos, ({ name }) => bytes(moments.get(name)!));
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

/** Brings values and moments of a checkpoint into fresh slots, whose own are released. */
export async function restoreSlots(run: string, step: number, slots: readonly Slot[]): Promise<void> {
  const folder = join(run, checkpointName(step));
  const weights = await openCheckpoint(folder);
  const optimizer = await openSafetensorsFile(join(folder, OPTIMIZER_FILE));
  try {
    const values = await loadParams(
      weights,
      slots.map(({ name }) => name),
    );
    const moments = await loadParams(
      optimizer,
      slots.flatMap(({ name }) => [`${name}.first`, `${name}.second`]),
    );
    for (const slot of slots) {
      disposeSlot(slot);
      slot.value = values.get(slot.name)!;
      slot.first = moments.get(`${slot.name}.first`)!;
      slot.second = moments.get(`${slot.name}.second`)!;
    }
  } finally {
    await weights.close();
    await optimizer.close();
  }
}

/** A slot's group from its tensor: norms and embeddings are not decayed (blt-format 5.3). */
export function groupOf(spec: TensorSpec, learningRateScale: Readonly<Record<string, number>>): ParameterGroup {
  return { learningRateScale: learningRateScale[spec.part] ?? 1, decay: spec.role === 'linear' };
}
