// The arms of bench:smollm2 as data: a shipped recipe at its own length, and shipped recipes shortened to 545 TFLOP including the patcher's
// training, which take about an hour on two cores at a sustained 150 GFLOP/s. The patcher's batches are small: with so little text, more steps help more than less noisy ones.
const ROWS = { batch_bytes: 4096, sequence_length: 512 };

/** The `--set` arguments for the values of a nested object. */
const settings = (value, path) =>
  Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' ? settings(inner, `${path}${key}.`) : ['--set', `${path}${key}=${inner}`],
  );

const SHARED = {
  data: { validation_fraction: 0.01 },
  evaluate: { validation_bytes: 32768 },
};

const ADAMW = { optimizer: 'adamw' };
const MUON = { optimizer: 'muon' };

/** Patchers with different labels and optimizers. */
export const PATCHERS = {
  END: { labels: 'end', ...ADAMW },
  START: { labels: 'start', ...ADAMW },
  'hybrid, 0.97 sure': { labels: 'hybrid', end_confidence: 0.97, ...ADAMW },
  'hybrid, 0.9 sure': { labels: 'hybrid', end_confidence: 0.9, ...ADAMW },
  'hybrid, 0.8 sure': { labels: 'hybrid', end_confidence: 0.8, ...ADAMW },
  'plain entropy': { kind: 'entropy', target_bytes_per_patch: 3.5, ...ADAMW },
  'hybrid, 0.97 sure, Muon': { labels: 'hybrid', end_confidence: 0.97, ...MUON },
  'hybrid, 0.9 sure, Muon': { labels: 'hybrid', end_confidence: 0.9, ...MUON },
};

/** The `--set` arguments that train a patcher for a number of steps of 4 KB. */
export const patcherSettings = (patcher, steps) =>
  settings({ data: SHARED.data, patcher: { ...ROWS, steps, warmup_steps: Math.ceil(steps / 20), ...patcher } }, '');

/** The settings of a distilled arm of an hour. @param steps those of the last stage, a tenth of which is warm-up */
const hourWith = (steps, changes = {}) =>
  settings(
    {
      ...SHARED,
      patcher: { ...ROWS, steps: 600, warmup_steps: 30 },
      stages: {
        0: { text_bytes: 2_500_000, solve_bytes: 250_000, ngram_bytes: 14_000_000 },
        1: {
          steps,
          batch_bytes: 1024,
          sequence_length: 512,
          warmup_steps: steps / 10,
          validate_every: 270,
          ...changes,
        },
      },
    },
    '',
  );

export const ARMS = {
  /** The shipped recipe at its own length, about nine hours at 128 GFLOP/s. */
  night: {
    name: 'distilled, a night',
    recipe: 'smollm2-135m',
    settings: settings({ ...SHARED, stages: { 1: { checkpoint_every: 250 } } }, ''),
  },
  distilled: { name: 'distilled', recipe: 'smollm2-135m', settings: hourWith(1080) },
  /** Without the source's distribution in the last stage: without the source's forward pass, the same operations allow more steps. */
  'next-byte': {
    name: 'distilled, then the next byte alone',
    recipe: 'smollm2-135m',
    settings: hourWith(1390, { losses: { prefix_kl: 0, cross_entropy: 1 } }),
  },
  paper: {
    name: 'the paper’s way',
    recipe: 'smollm2-135m-paper',
    settings: settings(
      {
        ...SHARED,
        patcher: { ...ROWS, steps: 800, warmup_steps: 80 },
        stages: { 0: { steps: 243, warmup_steps: 24, validate_every: 81 } },
      },
      '',
    ),
  },
};
