/** @module The memory that the source takes in a stage, in bytes, without its layers. */
import type { BltConfig, SourceRuns, SourceShape, TextShape } from '../blt/index.js';

const FLOAT_BYTES = 4;
/** Bytes per logit: the logit and its softmax in float32, and the cumulative sum over the sorted vocabulary in float64. */
const DISTRIBUTION_BYTES = 4 + 4 + 8;

export interface SourceMemory {
  /** The embeddings, and the head's rows in the order of the sorted vocabulary, if used: float32 tables. */
  readonly tables: number;
  /** For the tokens of the rows in memory: one layer's forward pass or their distribution, whichever is larger. */
  readonly reading: number;
}

export function sourceMemory(params: {
  readonly config: BltConfig;
  readonly source: SourceShape;
  readonly runs: SourceRuns;
  readonly text: TextShape;
  readonly rows: number;
}): SourceMemory {
  const { config, source, runs, text, rows } = params;
  const { hiddenSize, intermediateSize } = config.global;
  const tables = Number(runs.embeddings) + Number(runs.distribution);
  const tokens = (rows * text.bytes) / source.bytesPerToken;
  const layer = runs.states ? FLOAT_BYTES * tokens * (3 * intermediateSize + 4 * hiddenSize) : 0;
  const distribution = runs.distribution ? DISTRIBUTION_BYTES * tokens * source.vocabSize : 0;
  return { tables: FLOAT_BYTES * tables * source.vocabSize * hiddenSize, reading: Math.max(layer, distribution) };
}

const CACHED_BYTES = 2;

/**
 * Disk space of the cached states in bytes, at two bytes per value. A plan does not know the length of the text, and states are cached only if
 * they fit and the text is read again. This is therefore an upper bound: the budget, or the states of all text that the stage reads.
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
