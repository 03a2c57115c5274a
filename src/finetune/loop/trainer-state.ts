/** @module What a resumed run needs besides the weights: a checkpoint's `trainer_state.json`, which is validated when it is read. */
import { z } from 'zod';
import type { PackerState } from '../../data/index.js';
import type { RunMode } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { readJson } from '../../fs/index.js';
import type { Capacity } from '../batches/capacity.js';

export interface TrainerState {
  readonly step: number;
  readonly packer: PackerState;
  /** The capacities that the step was traced with. The key is named as in the file. */
  readonly room: Capacity;
  /** Floating-point operations so far, including the source's. */
  readonly flops: number;
  /** How the steps run. A resumed run keeps its mode. */
  readonly mode: RunMode;
  /** Of the last evaluation on held-out text. */
  readonly metrics: Readonly<Record<string, number>>;
  /** A digest of the settings that must not change when a run is resumed. */
  readonly settings: string;
}

/** The state as stored in the file. Old checkpoints do not record the mode; a run resumed from one chooses it again. */
export type SavedState = Omit<TrainerState, 'mode'> & { readonly mode?: RunMode | undefined };

const count = z.int().nonnegative();

/** Unknown keys are ignored, so that a file of a later version can be read. */
const stateSchema: z.ZodType<SavedState> = z.object({
  step: count,
  packer: z.object({ epoch: count, place: count, offset: count, row: count }),
  room: z.object({ patches: count, tokens: count }),
  flops: z.number().nonnegative(),
  mode: z.enum(['graph', 'xla', 'eager']).optional(),
  metrics: z.record(z.string(), z.number()),
  settings: z.string().min(1),
});

/** A hint for errors about a damaged checkpoint. */
export function damagedCheckpointHint(folder: string): string {
  return `Remove ${folder}. The run then resumes from the previous checkpoint, or starts the stage again if there is none.`;
}

/**
 * Reads and validates `trainer_state.json`.
 * @param folder the checkpoint
 * @param path the file
 * @param step the step in the folder's name
 * @throws ByteifyError when the file is missing, damaged or of another step
 */
export async function parseTrainerState(folder: string, path: string, step: number): Promise<SavedState> {
  const hint = damagedCheckpointHint(folder);
  const state = await readJson(path, { schema: stateSchema, what: 'the state of a training run', hint });
  if (state.step === step) return state;
  throw new ByteifyError(`${path} is from step ${state.step}, not from step ${step} as the name of its folder says.`, {
    hint,
  });
}

/**
 * Awaits work that reads a checkpoint, and adds to its errors how to continue without the checkpoint.
 * @throws ByteifyError with the same message and another hint; errors of other classes unchanged
 */
export async function withCheckpointHint<Result>(folder: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ByteifyError)) throw error;
    throw new ByteifyError(error.message, {
      hint: damagedCheckpointHint(folder),
      exitCode: error.exitCode,
      cause: error,
    });
  }
}
