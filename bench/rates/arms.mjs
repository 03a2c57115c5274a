// The arms of bench:rates: what each changes in the stage that follows the closed form. Rates first, then parts of the stage left out.
const scaled = (scales) => ({ learning_rate_scale: scales });
const trainedTables = (hash) => ({ frozen: [], ...scaled({ hash }) });

/** The recipe has the tables frozen, and the factors global 8 and decoder 3. */
export const ARMS = {
  recipe: {},
  'tables 0.5': trainedTables(0.5),
  'tables 8': trainedTables(8),
  'global 0.5': scaled({ global: 0.5 }),
  'global 1': scaled({ global: 1 }),
  'global 2': scaled({ global: 2 }),
  'global 4': scaled({ global: 4 }),
  'decoder 1': scaled({ decoder: 1 }),
  'decoder 8': scaled({ decoder: 8 }),
  'encoder 4': scaled({ encoder: 4 }),
  'rate 0.5': { learning_rate: 1e-5 },
  'rate 2': { learning_rate: 4e-5 },
  'global frozen': { frozen: ['hash', 'global'] },
  'next byte only': { losses: { prefix_kl: 0, cross_entropy: 1 } },
  Muon: { optimizer: 'muon', muon_learning_rate: 5e-4 },
  'Muon 0.4': { optimizer: 'muon', muon_learning_rate: 2e-4 },
};

/** The stage of an arm: the recipe's own, shortened. A third of the steps warms up, since there are so few. */
export function stageOf(stage, { learning_rate_scale: scale = {}, ...rest }, { steps, batchBytes }) {
  return {
    ...stage,
    ...{ steps, warmup_steps: Math.ceil(steps / 3), validate_every: Math.ceil(steps / 2), checkpoint_every: steps },
    ...{ batch_bytes: batchBytes, sequence_length: Math.min(stage.sequence_length, batchBytes / 2) },
    learning_rate_scale: { ...stage.learning_rate_scale, ...scale },
    ...rest,
  };
}
