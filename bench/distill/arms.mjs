// The arms of bench:distill as data, and how many steps each stage gets from a budget of floating-point operations.
import { parseBltConfig, stageFlops } from '../../dist/blt/index.js';
import { flopsOfClosedForm } from '../closed-form-flops.mjs';

const ROW_BYTES = 512;
const BATCH_BYTES = 8192;
const WARM_UP_FRACTION = 0.1;
const EVALUATIONS = 12;

/** The sizes of all arms. The local models are wider (160) than the source's embeddings (128), so a byte's state can represent one. */
const BLT = { cross_attn_k: 1, hidden_size: 160, heads: 5, hash_sizes: [2, 3, 4, 5, 6, 7, 8], hash_vocab: 5002 };
const PATCHER = {
  steps: 300,
  batch_bytes: BATCH_BYTES,
  sequence_length: ROW_BYTES,
  learning_rate: 4e-3,
  warmup_steps: 30,
};

const PATCHERS = {
  paper: { kind: 'entropy', target_bytes_per_patch: 4.5 },
  hybrid: { kind: 'aligned', labels: 'hybrid' },
  start: { kind: 'aligned', labels: 'start' },
  entropy: { kind: 'entropy' },
};

/** The paper's method with a share of the budget after the closed-form stage, and the learning rates of the recipe tiny-paper. */
const paper = (share) => ({ kind: 'end-to-end', share, learning_rate: 4e-3, learning_rate_scale: { global: 0.1 } });
const closedForm = {
  kind: 'closed-form',
  text_bytes: 400_000,
  solve_bytes: 100_000,
  ngram_bytes: 400_000,
  encoder: 'back-off',
  decoder: 'prefix-gates',
  sequence_length: ROW_BYTES,
  micro_batch_size: 16,
};
const alignEncoder = (share) => ({ kind: 'align-encoder', share, learning_rate: 2e-4 });
const distilled = [
  closedForm,
  alignEncoder(0.02),
  { kind: 'distill-decoder', share: 0.45, learning_rate: 2e-3, schedule: 'linear', min_learning_rate_ratio: 0.5 },
  { kind: 'join', share: 0.03, learning_rate: 3e-4 },
  { kind: 'end-to-end', share: 0.5, learning_rate: 2e-3, learning_rate_scale: { global: 0.25 } },
];

export const ARMS = {
  A: { name: 'the paper’s way', patcher: 'paper', stages: [paper(1)] },
  B: { name: 'closed form, then as A', patcher: 'hybrid', stages: [closedForm, paper(1)] },
  C: {
    name: 'closed form and encoder, then as A',
    patcher: 'hybrid',
    stages: [closedForm, alignEncoder(0.05), paper(0.95)],
  },
  D: { name: 'distilled', patcher: 'hybrid', stages: distilled },
  E: { name: 'A, global frozen', patcher: 'paper', stages: [{ ...paper(1), frozen: ['global'] }] },
  F: { name: 'D on plain entropy patches', patcher: 'entropy', stages: distilled },
  G: { name: 'D on START patches', patcher: 'start', stages: distilled },
  H: { name: 'A on D’s patches', patcher: 'hybrid', stages: [paper(1)] },
};

/** The number of steps that a stage can take with `flops` operations. The source's states are computed once and then cached. */
function stepsFor(stage, flops, { config, bytesPerPatch, bytesPerToken, trainBytes, vocabSize }) {
  const text = { bytes: ROW_BYTES, bytesPerPatch };
  const source = { vocabSize, bytesPerToken };
  const { model, sourceStates, sourceHead } = stageFlops({ config, text, source, stage });
  const inOneEpoch = flops / (model + sourceHead + sourceStates);
  const bytes = inOneEpoch <= trainBytes ? inOneEpoch : (flops - sourceStates * trainBytes) / (model + sourceHead);
  return Math.max(1, Math.round(bytes / BATCH_BYTES));
}

const LOSSES = {
  'distill-decoder': { cross_entropy: 1, prefix_kl: 1, chunk: 0.5, embedding: 1 },
  join: { cross_entropy: 1, prefix_kl: 0 },
  'end-to-end': { cross_entropy: 1, prefix_kl: 0 },
};

/** A recipe whose stages cost the budget together. `cost` has the inputs of the operation count; without it, each stage gets one step. */
export function recipeOf({ seed, patcher, stages, budget, cost = null }) {
  const config = cost && parseBltConfig(cost.config, cost.folder);
  const trainingBudget = budget - (cost ? closedFormCost(stages, config, cost) : 0);
  return {
    name: 'bench-distill',
    seed,
    blt: BLT,
    patcher: { ...PATCHER, ...PATCHERS[patcher] },
    data: { max_document_bytes: 4096, validation_fraction: 0.05 },
    stages: stages.map(({ share, ...stage }) => {
      if (stage.kind === 'closed-form') return stage;
      const shape = { frozen: [], losses: LOSSES[stage.kind], ...stage };
      const steps = cost ? stepsFor(shape, share * trainingBudget, { ...cost, config }) : 1;
      return {
        ...stage,
        steps,
        batch_bytes: BATCH_BYTES,
        sequence_length: ROW_BYTES,
        micro_batch_size: BATCH_BYTES / ROW_BYTES,
        warmup_steps: Math.ceil(WARM_UP_FRACTION * steps),
        validate_every: Math.max(1, Math.ceil(steps / EVALUATIONS)),
        checkpoint_every: steps,
        keep_checkpoints: 1,
      };
    }),
    hardware: { mode: 'graph' },
  };
}

/** The cost of the closed-form stage. */
function closedFormCost(stages, config, { bytesPerPatch, bytesPerToken, trainBytes, vocabSize }) {
  const stage = stages.find(({ kind }) => kind === 'closed-form');
  if (stage === undefined) return 0;
  const text = { bytes: ROW_BYTES, bytesPerPatch };
  return flopsOfClosedForm(stage, { config, text, source: { vocabSize, bytesPerToken }, trainBytes });
}
