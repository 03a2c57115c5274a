// The arms of bench:smollm2 as data: a shipped recipe each, shortened to about an hour on two cores, its patcher included. Small batches, since with so
// few bytes more steps are worth more than smooth ones.
const ROWS = { batch_bytes: 4096, row_bytes: 512 };

/** `--set` for every key of an object that is not an object itself. */
const settings = (value, path) =>
  Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' ? settings(inner, `${path}${key}.`) : ['--set', `${path}${key}=${inner}`],
  );

const SHARED = {
  data: { validation_fraction: 0.01 },
  evaluate: { validation_bytes: 32768 },
};

export const ARMS = {
  distilled: {
    name: 'distilled',
    recipe: 'smollm2-135m',
    settings: settings(
      {
        ...SHARED,
        patcher: { ...ROWS, steps: 2000, warmup_steps: 100 },
        stages: {
          0: { text_bytes: 4_000_000, solve_bytes: 400_000 },
          1: { steps: 60, warmup_steps: 6 },
          2: { steps: 180, warmup_steps: 18, validate_every: 60 },
          3: { steps: 15, warmup_steps: 3, validate_every: 15 },
          4: { steps: 120, warmup_steps: 12, validate_every: 60 },
        },
      },
      '',
    ),
  },
  paper: {
    name: 'the paper’s way',
    recipe: 'smollm2-135m-paper',
    settings: settings(
      {
        ...SHARED,
        patcher: { ...ROWS, steps: 800, warmup_steps: 80 },
        stages: { 0: { steps: 440, warmup_steps: 40, validate_every: 110 } },
      },
      '',
    ),
  },
};
