/** @module Memory of what a stage asks of the source, in bytes, beside its blocks: those are the latent global transformer's weights. */
import type { BltConfig, SourceRuns, SourceShape, TextShape } from '../blt/index.js';

const FLOAT_BYTES = 4;
/** Of one logit: itself and its softmax in float32, and the sum up to it over the sorted vocabulary in float64. */
const DISTRIBUTION_BYTES = 4 + 4 + 8;

/**
 * Embeddings, and the head's rows in the order of the sorted vocabulary: two tables in float32, where both are used. For the tokens of the
 * rows that are in memory at once, one layer's forward pass, or their distribution, whichever is more; that is made for the next rows
 * while a step runs, so it adds to the step's own.
 */
export function sourceMemory(params: {
  readonly config: BltConfig;
  readonly source: SourceShape;
  readonly runs: SourceRuns;
  readonly text: TextShape;
  readonly rows: number;
}): number {
  const { config, source, runs, text, rows } = params;
  const { hiddenSize, intermediateSize } = config.global;
  const tables = Number(runs.embeddings) + Number(runs.distribution);
  const tokens = (rows * text.bytes) / source.bytesPerToken;
  const layer = runs.states ? FLOAT_BYTES * tokens * (3 * intermediateSize + 4 * hiddenSize) : 0;
  const distribution = runs.distribution ? DISTRIBUTION_BYTES * tokens * source.vocabSize : 0;
  return FLOAT_BYTES * tables * source.vocabSize * hiddenSize + Math.max(layer, distribution);
}

const CACHED_BYTES = 2;

/**
 * Disk of the cached states, two bytes a value. A plan does not know how long the text is, and states are kept only where they fit and the
 * text is read again: so this is the most it can be, the budget or the states of all that the stage reads.
 */
export function statesCacheBytes(params: {
  readonly config: BltConfig;
  readonly source: SourceShape;
  readonly bytes: number;
  readonly budget: number;
}): number {
  const { config, source, bytes, budget } = params;
  return Math.min(budget, (CACHED_BYTES * config.global.hiddenSize * bytes) / source.bytesPerToken);
}
