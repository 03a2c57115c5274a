/** @module Latent global transformers in the proportions of a source: other numbers of heads of the same size, and all else in proportion. */
import type { TransformerConfig } from '../blt/index.js';

/** The divisor of `count` that is closest to `wanted`; of two, the larger. */
function closestDivisor(count: number, wanted: number): number {
  const divisors = Array.from({ length: count }, (_, i) => i + 1).filter((candidate) => count % candidate === 0);
  return divisors.reduce((best, divisor) => (Math.abs(divisor - wanted) <= Math.abs(best - wanted) ? divisor : best));
}

/**
 * The source's transformer with another number of heads. The size of a head stays, so that the width is a multiple of it; layers and
 * feed-forward width follow the width, and so does the number of key-value heads, as far as it divides the heads.
 * @param heads at least 1; with the source's own number, the source's own sizes
 */
export function withHeads(source: TransformerConfig, heads: number): TransformerConfig {
  if (heads === source.heads) return source;
  const ratio = heads / source.heads;
  return {
    ...source,
    heads,
    hiddenSize: (source.hiddenSize / source.heads) * heads,
    kvHeads: closestDivisor(heads, source.kvHeads * ratio),
    layers: Math.max(1, Math.round(source.layers * ratio)),
    intermediateSize: Math.round(source.intermediateSize * ratio),
  };
}
