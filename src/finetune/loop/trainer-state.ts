/** @module What a resumed run needs beside the weights: `trainer_state.json` of a checkpoint, checked when it is read back. */
import { z } from 'zod';
import type { PackerState } from '../../data/index.js';
import type { RunMode } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { readJson } from '../../fs/index.js';
import type { Capacity } from '../batches/capacity.js';

export interface TrainerState {
  readonly step: number;
  readonly packer: PackerState;
  /** The shapes that a step was traced with. */
  readonly room: Capacity;
  /** Floating-point operations so far, the source's included. */
  readonly flops: number;
  /** How steps run: going on, they run the same way. */
  readonly mode: RunMode;
  /** Of the last look at the held-out text. */
  readonly metrics: Readonly<Record<string, number>>;
  /** A digest of the settings that must not change between sittings. */
  readonly settings: string;
}

/** As a file has it: the mode is missing in checkpoints from before it was recorded, and is then chosen anew. */
export type SavedState = Omit<TrainerState, 'mode'> & { readonly mode?: RunMode | undefined };

const count = z.int().nonnegative();

/** Keys of later versions are passed over. */
const stateSchema: z.ZodType<SavedState> = z.object({
  step: count,
  packer: z.object({ epoch: count, place: count, offset: count, row: count }),
  room: z.object({ patches: count, tokens: count }),
  flops: z.number().nonnegative(),
  mode: z.enum(['graph', 'xla', 'eager']).optional(),
  metrics: z.record(z.string(), z.number()),
  settings: z.string().min(1),
});

/** What helps when a checkpoint is damaged. */
export function withoutCheckpoint(folder: string): string {
  return `Remove ${folder}: the run then resumes from the checkpoint before it, or begins the stage anew where there is none.`;
}

/**
 * @param folder a checkpoint
 * @param path its file
 * @param step that the folder is named after
 * @throws ByteifyError when the file is missing, damaged or of another step
 */
export async function parseTrainerState(folder: string, path: string, step: number): Promise<SavedState> {
  const hint = withoutCheckpoint(folder);
  const state = await readJson(path, { schema: stateSchema, what: 'the state of a training run', hint });
  if (state.step === step) return state;
  throw new ByteifyError(`${path} is of step ${state.step}, not of step ${step} as its folder says.`, { hint });
}

/**
 * Awaits what reads a checkpoint; a refusal of its files says what to do about it.
 * @throws ByteifyError with the same sentence and the way out; any other error as it is
 */
export async function ofCheckpoint<Result>(folder: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ByteifyError)) throw error;
    throw new ByteifyError(error.message, { hint: withoutCheckpoint(folder), exitCode: error.exitCode, cause: error });
  }
}
