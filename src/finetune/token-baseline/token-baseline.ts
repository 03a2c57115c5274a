/** @module Trains the source itself, with its tokens, on the text that a BLT is trained on: what a byte model has to be compared with. */
import { type BltConfig, sourceForwardFlops, trainingFlops } from '../../blt/index.js';
import { type ByteStore, type DomainTexts, plainTexts, textOf } from '../../data/index.js';
import { deviceCount } from '../../engine/index.js';
import { llamaBitsPerByte } from '../../evaluate/index.js';
import { type LlamaConfig, openLlama } from '../../llama/index.js';
import { disposeParams, llamaBlocks, type Params } from '../../model/index.js';
import { startTokenOf } from '../../patching/index.js';
import type { Recipe, TrainingStage } from '../../recipe/index.js';
import { loadTokenizer, type SourceTokenizer } from '../../tokenizer/index.js';
import type { StepBatch } from '../batches/step-batch.js';
import { train } from '../loop/train.js';
import type { StepReport } from '../loop/train-options.js';
import { stagePlan } from '../loop/training-plan.js';
import { nextTokenObjective } from './next-token-objective.js';
import { writeLlama } from './write-llama.js';

export interface TokenBaselineOptions {
  /** The source's folder. */
  readonly source: string;
  /** The config of the BLT that it is compared with, which checkpoints of the run name. */
  readonly config: BltConfig;
  readonly recipe: Recipe;
  readonly store: ByteStore;
  readonly heldOut: readonly DomainTexts[];
  /** Floating-point operations to spend. */
  readonly flops: number;
  /** The folder of checkpoints and metrics. */
  readonly run: string;
  /** The folder of the trained Llama. */
  readonly out: string;
  readonly settings: string;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
}

/** A usual rate for fine-tuning all of a model of some hundred million parameters; the recipe can set another. */
const LEARNING_RATE = 1e-4;

/** The mean length of tokens. */
function bytesPerToken(texts: readonly Uint8Array[], tokenizer: SourceTokenizer): number {
  const text = Buffer.concat(texts);
  return text.length / tokenizer.encode(text.toString()).length;
}

/**
 * The settings of its run: those of the recipe's last stage, except that a step reads about as many bytes in rows of as many positions, each a token,
 * all of the model is trained, and the steps spend the operations.
 */
function baselineStage(
  recipe: Recipe,
  { flops, flopsPerToken, length }: { flops: number; flopsPerToken: number; length: number },
): TrainingStage {
  const last = recipe.stages.at(-1)!;
  if (last.kind === 'closed-form') throw new RangeError('a closed form is no stage of gradient steps');
  const rows = Math.max(1, Math.round(last.batch_bytes / length / last.sequence_length));
  const batch = rows * last.sequence_length;
  const steps = Math.max(1, Math.round(flops / (flopsPerToken * batch)));
  return {
    ...last,
    ...{ steps, batch_bytes: batch, optimizer: 'adamw', frozen: [], learning_rate_scale: {} },
    learning_rate: recipe.token_baseline?.learning_rate ?? LEARNING_RATE,
    warmup_steps: Math.round((steps * last.warmup_steps) / last.steps),
    validate_every: Math.max(1, Math.round((steps * last.validate_every) / last.steps)),
    checkpoint_every: Math.max(1, Math.round((steps * last.checkpoint_every) / last.steps)),
  };
}

function trainingFlopsPerToken(config: LlamaConfig, tokens: number): number {
  const { blocks, head } = sourceForwardFlops(llamaBlocks(config), { vocabSize: config.vocabSize, tokens });
  return trainingFlops(blocks, 'trained') + trainingFlops(head, 'trained');
}

/**
 * Trains a Llama on the next token, or resumes, and writes it. The engine must be started.
 * @returns `validation_bits_per_byte`, `validation_bytes_per_token`, `flops`
 * @throws what `train` throws; ByteifyError when the source cannot be read
 */
export async function trainTokenBaseline(options: TokenBaselineOptions): Promise<Readonly<Record<string, number>>> {
  const { source, config, recipe, store, heldOut, flops, run, out, settings, signal, onStep } = options;
  const llama = await openLlama(source);
  try {
    const tokenizer = await loadTokenizer(source);
    const { ropeLayout, config: sizes } = llama;
    const texts = plainTexts(heldOut);
    const bos = startTokenOf(tokenizer, sizes);
    const flopsPerToken = trainingFlopsPerToken(sizes, recipe.stages.at(-1)!.sequence_length);
    const stage = baselineStage(recipe, { flops, flopsPerToken, length: bytesPerToken(texts, tokenizer) });
    const { params, metrics } = await train({
      objective: nextTokenObjective(sizes, ropeLayout),
      config,
      start: llama.reader,
      plan: stagePlan(stage, recipe.hardware, { devices: deviceCount() }),
      data: textOf(store.train),
      tokens: { folder: source, bos, eos: sizes.eosIds[0] ?? bos },
      flopsOf: ({ weight }: StepBatch) => flopsPerToken * weight,
      ...{ run, root: run, seed: recipe.seed, settings, signal },
      ...(onStep && { onStep }),
      validate: async (now: Params) => {
        const measured = await llamaBitsPerByte({ params: now, config: sizes, ropeLayout }, tokenizer, texts);
        return {
          validation_bits_per_byte: measured.bitsPerByte,
          validation_bytes_per_token: measured.bytesPerToken,
        };
      },
    });
    await writeLlama(llama, params, out);
    disposeParams(params);
    return metrics;
  } finally {
    await llama.close();
  }
}
