// The arms of bench:rates: what each changes in the stage that follows the closed form.
const scaled = (scales) => ({ learning_rate_scale: scales });

export const ARMS = {
  recipe: {},
  'tables x 64': scaled({ hash: 64 }),
  'tables x 8': scaled({ hash: 8 }),
  'tables x 2': scaled({ hash: 2 }),
  'tables frozen': { frozen: ['hash'] },
  'global x 0.5': scaled({ global: 0.5 }),
  'global x 2': scaled({ global: 2 }),
  'decoder x 3': scaled({ decoder: 3 }),
  'rate x 3': { rate: 3 },
};

/** The stage of an arm: the recipe's own, shortened. `rate` multiplies the learning rate. */
export function stageOf(stage, { rate = 1, learning_rate_scale: scale = {}, ...rest }, { steps, batchBytes }) {
  return {
    ...stage,
    ...{ steps, warmup_steps: Math.ceil(steps / 10), validate_every: Math.ceil(steps / 2), checkpoint_every: steps },
    ...{ batch_bytes: batchBytes, sequence_length: Math.min(stage.sequence_length, batchBytes / 2) },
    learning_rate: rate * stage.learning_rate,
    learning_rate_scale: { ...stage.learning_rate_scale, ...scale },
    ...rest,
  };
}
