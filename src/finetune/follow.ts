/** @module Trains with the process that leads, until that has nothing left to train. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { readBltConfig } from '../blt/index.js';
import { openStore } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { type ProcessGroup, rejectionOf, shareFromLeader } from '../group/index.js';
import type { TrainingStage } from '../recipe/index.js';
import { type PatcherTask, type StageTask, type TrainingTask, tasksOf } from './followers.js';
import { followPatcherTraining } from './patcher/train-patcher.js';
import { runTrainingStage } from './stages/training-stage.js';
import { openTeacher } from './teacher/teacher.js';

/** Runs one task. The engine must be started. */
async function perform(task: PatcherTask | StageTask, group: ProcessGroup, signal: AbortSignal): Promise<void> {
  if (!existsSync(task.store)) {
    throw new ByteifyError(`${task.store} is not there on ${hostname()}.`, {
      hint: 'All processes need the conversion folder at the same path, on a file system that their machines share.',
    });
  }
  const store = await openStore(task.store);
  try {
    if (task.kind === 'patcher') await followPatcherTraining({ ...task, store, signal }, group);
    else await performStage(task, { store, group, signal });
  } finally {
    await store.close();
  }
}

async function performStage(
  { base, ...task }: StageTask,
  with_: { store: Awaited<ReturnType<typeof openStore>>; group: ProcessGroup; signal: AbortSignal },
): Promise<void> {
  const { recipe, stage, source: folder } = task;
  const config = await readBltConfig(base[0]!);
  const source = folder === null ? null : await openTeacher(folder, base, config);
  // Only the process that leads evaluates the model, counts operations, and writes.
  const leaders = { heldOut: [], sourceBitsPerByte: null, flopsBefore: 0 };
  try {
    await runTrainingStage({ ...task, ...with_, ...leaders, config }, recipe.stages[stage] as TrainingStage, source);
  } finally {
    await source?.close();
  }
}

/**
 * Trains whatever the process that leads trains. The engine must be started.
 * @throws the signal's reason when stopped; ByteifyError when a process is lost or the conversion's folder is not there
 */
export async function follow(group: ProcessGroup, signal: AbortSignal): Promise<void> {
  const tasks = tasksOf(group);
  const stopped = rejectionOf(signal);
  for (;;) {
    const told = shareFromLeader<TrainingTask>(group, tasks, () => ({ kind: 'end' }));
    const task = await Promise.race([told, stopped]);
    if (task.kind === 'end') return;
    await perform(task, group, signal);
  }
}
