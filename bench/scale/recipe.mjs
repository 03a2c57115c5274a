// How bench:scale trains: the same for all arms.
import { recipeSchema } from '../../dist/recipe/index.js';
import { ROW_BYTES } from './arms.mjs';

const BATCH_BYTES = 2048;
const EVALUATIONS = 6;
const PATCHER_STEPS = 1000;

/**
 * The recipe of a run that reads `bytes` of text, rounded to whole steps.
 * @param {{ seed: number, bytes: number, heldOutBytes: number }} run
 */
export function recipeOf({ seed, bytes, heldOutBytes }) {
  const steps = Math.max(1, Math.round(bytes / BATCH_BYTES));
  const batches = { batch_bytes: BATCH_BYTES, sequence_length: ROW_BYTES };
  return recipeSchema.parse({
    name: 'bench-scale',
    seed,
    patcher: {
      ...batches,
      kind: 'entropy',
      steps: PATCHER_STEPS,
      learning_rate: 4e-3,
      warmup_steps: PATCHER_STEPS / 10,
    },
    stages: [
      {
        ...batches,
        kind: 'end-to-end',
        steps,
        micro_batch_size: BATCH_BYTES / ROW_BYTES,
        // Of 4e-3 and 8e-3, the larger was better by 0.2 bits in 300 steps, for the smallest model and for the largest; longer runs want less.
        learning_rate: 6e-3,
        // All weights are random, so all learn at the same rate.
        learning_rate_scale: {},
        warmup_steps: Math.ceil(steps / 10),
        min_learning_rate_ratio: 0.1,
        validate_every: Math.ceil(steps / EVALUATIONS),
        checkpoint_every: Math.ceil(steps / EVALUATIONS),
        keep_checkpoints: 1,
      },
    ],
    evaluate: { validation_bytes: heldOutBytes },
    hardware: { mode: 'graph' },
  });
}
