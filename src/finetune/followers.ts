/** @module The processes that train with the one that leads: it tells them what to train, in values that can be sent to another machine. */
import { resolve } from 'node:path';
import { type Channel, type ProcessGroup, shareFromLeader } from '../group/index.js';
import type { Recipe } from '../recipe/index.js';

/** The part of a training that does not depend on its kind. Folders are absolute, and the same on every machine. */
interface CommonTask {
  readonly recipe: Recipe;
  /** The folder of the data. */
  readonly store: string;
  readonly settings: string;
}

/** Training a patcher: see TrainPatcherOptions. */
export interface PatcherTask extends CommonTask {
  readonly kind: 'patcher';
  readonly init: string;
  readonly out: string;
  readonly tokenizerFolder: string | null;
}

/** Training a stage: see StageContext. */
export interface StageTask extends CommonTask {
  readonly kind: 'stage';
  /** The folders that fine-tuning began with. */
  readonly base: readonly string[];
  /** The folders that the stage begins with. */
  readonly from: readonly string[];
  readonly source: string | null;
  readonly run: string;
  readonly root: string;
  readonly stage: number;
  readonly loadsSourceLayers: boolean;
}

/** `end`: nothing is left to train. */
export type TrainingTask = PatcherTask | StageTask | { readonly kind: 'end' };

export interface Followers {
  readonly group: ProcessGroup;
  /** Tells the others what is trained next. The caller trains it too. */
  announce(task: TrainingTask): Promise<void>;
}

/** However long the process that leads takes between two trainings. */
export const tasksOf = (group: ProcessGroup): Channel => group.channel('the tasks', { patient: true });

/** For the process that leads. */
export function followersOf(group: ProcessGroup): Followers {
  const tasks = tasksOf(group);
  return {
    group,
    announce: async (task) => void (await shareFromLeader(group, tasks, () => withAbsolutePaths(task))),
  };
}

function withAbsolutePaths(task: TrainingTask): TrainingTask {
  const from = (folder: string | null) => (folder === null ? null : resolve(folder));
  switch (task.kind) {
    case 'end':
      return task;
    case 'patcher': {
      const { init, out, store } = task;
      const folders = { init: resolve(init), out: resolve(out), store: resolve(store) };
      return { ...task, ...folders, tokenizerFolder: from(task.tokenizerFolder) };
    }
    case 'stage': {
      const { run, root, store } = task;
      const folders = { run: resolve(run), root: resolve(root), store: resolve(store), source: from(task.source) };
      return {
        ...task,
        ...folders,
        base: task.base.map((each) => resolve(each)),
        from: task.from.map((each) => resolve(each)),
      };
    }
  }
}
