// The arms of bench:distill as data, and how many steps each stage gets from a budget of floating-point operations.
import { parseBltConfig, stageFlops } from '../../dist/blt/index.js';
import { flopsOfClosedForm } from '../closed-form-flops.mjs';

const ROW_BYTES = 512;
const PAPER_BATCH_BYTES = 8192;
/** With so little text, many small steps do more. */
const BATCH_BYTES = 2048;
const WARM_UP_FRACTION = 0.1;
const EVALUATIONS = 12;

/** The sizes of all arms. The local models are wider (160) than the source's embeddings (128), so a byte's state can represent one. */
const BLT = { cross_attn_k: 1, hidden_size: 160, heads: 5, hash_sizes: [2, 3, 4, 5, 6, 7, 8], hash_vocab: 50002 };

/** What all patchers share. With 4.5 bytes per patch, aligned ones leave out the least certain cuts, as in smollm2-135m. */
const PATCHER = { sequence_length: ROW_BYTES, learning_rate: 4e-3, target_bytes_per_patch: 4.5 };
/** Those of the distilled arms read a third of the text that the paper's reads. */
const BY_MUON = { optimizer: 'muon', steps: 400, batch_bytes: BATCH_BYTES, warmup_steps: 20 };

const PATCHERS = {
  paper: { kind: 'entropy', steps: 300, batch_bytes: PAPER_BATCH_BYTES, warmup_steps: 30 },
  hybrid: { kind: 'aligned', labels: 'hybrid', ...BY_MUON },
  start: { kind: 'aligned', labels: 'start', ...BY_MUON },
  entropy: { kind: 'entropy', ...BY_MUON },
};

const nextByteOnly = { losses: { cross_entropy: 1, prefix_kl: 0 } };

/** The paper's method with a share of the budget after the closed-form stage, and the learning rates of the recipe tiny-paper. */
const paper = {
  kind: 'end-to-end',
  share: 1,
  batch_bytes: PAPER_BATCH_BYTES,
  learning_rate: 4e-3,
  learning_rate_scale: { global: 0.1 },
  ...nextByteOnly,
};
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
/** The source's distribution keeps it from learning the text by heart, and the source's layers can learn at half the rate of new parts. */
const endToEnd = {
  kind: 'end-to-end',
  share: 1,
  learning_rate: 1.5e-3,
  learning_rate_scale: { global: 0.5, hash: 3 },
  losses: { cross_entropy: 0.5, prefix_kl: 1 },
};
const dropout = { ngram_dropout: 0.5 };
const distilled = [closedForm, endToEnd];

/** Most arms are D with one part left out or replaced. */
export const ARMS = {
  A: { name: 'the paper’s way', patcher: 'paper', stages: [paper] },
  B: { name: 'closed form, then as A', patcher: 'start', stages: [closedForm, paper] },
  C: { name: 'D without a closed form', patcher: 'start', stages: [endToEnd] },
  D: { name: 'distilled', patcher: 'start', stages: distilled },
  E: {
    name: 'D without the source’s distribution',
    patcher: 'start',
    stages: [closedForm, { ...endToEnd, ...nextByteOnly }],
  },
  F: {
    name: 'E with n-gram dropout',
    patcher: 'start',
    stages: [closedForm, { ...endToEnd, ...nextByteOnly, ...dropout }],
  },
  G: { name: 'D on hybrid patches', patcher: 'hybrid', stages: distilled },
  H: { name: 'A on D’s patches', patcher: 'start', stages: [paper] },
  I: { name: 'D with n-gram dropout', patcher: 'start', stages: [closedForm, { ...endToEnd, ...dropout }] },
  J: {
    name: 'D, half of it in distill-decoder',
    patcher: 'start',
    stages: [
      closedForm,
      { kind: 'align-encoder', share: 0.02, learning_rate: 2e-4 },
      {
        ...{ kind: 'distill-decoder', share: 0.45, learning_rate: 2e-3 },
        ...{ schedule: 'linear', min_learning_rate_ratio: 0.5 },
        losses: { cross_entropy: 1, prefix_kl: 1, chunk: 0.5, embedding: 1 },
      },
      { ...endToEnd, share: 0.53 },
    ],
  },
  K: { name: 'D on plain entropy patches', patcher: 'entropy', stages: distilled },
};

const batchBytesOf = ({ batch_bytes: bytes = BATCH_BYTES }) => bytes;

/** The number of steps that a stage can take with `flops` operations. The source's states are computed once and then cached. */
function stepsFor(stage, flops, { config, bytesPerPatch, bytesPerToken, trainBytes, vocabSize }) {
  const text = { bytes: ROW_BYTES, bytesPerPatch };
  const source = { vocabSize, bytesPerToken };
  const { model, sourceStates, sourceHead } = stageFlops({ config, text, source, stage });
  const inOneEpoch = flops / (model + sourceHead + sourceStates);
  const bytes = inOneEpoch <= trainBytes ? inOneEpoch : (flops - sourceStates * trainBytes) / (model + sourceHead);
  return Math.max(1, Math.round(bytes / batchBytesOf(stage)));
}

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
      const steps = cost ? stepsFor({ frozen: [], ...stage }, share * trainingBudget, { ...cost, config }) : 1;
      return {
        ...stage,
        steps,
        batch_bytes: batchBytesOf(stage),
        sequence_length: ROW_BYTES,
        micro_batch_size: batchBytesOf(stage) / ROW_BYTES,
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
