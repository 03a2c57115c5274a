// The layer sizes of the Llama models that benchmarks and checks use, from their published configurations.

const LLAMA_3 = { rmsNormEps: 1e-5, rope: /** @type {const} */ ({ type: 'default', theta: 500_000 }) };

/** @type {Record<string, import('../dist/blt/index.js').SourceSizes>} */
export const SOURCE_SIZES = {
  /** The embedded model, assets/tiny-llama. */
  'tiny-llama': {
    hiddenSize: 128,
    layers: 6,
    heads: 4,
    kvHeads: 2,
    intermediateSize: 352,
    rmsNormEps: 1e-5,
    rope: { type: 'default', theta: 10_000 },
  },
  'smollm2-135m': {
    hiddenSize: 576,
    layers: 30,
    heads: 9,
    kvHeads: 3,
    intermediateSize: 1536,
    rmsNormEps: 1e-5,
    rope: { type: 'default', theta: 100_000 },
  },
  'llama-3.2-1b': { ...LLAMA_3, hiddenSize: 2048, layers: 16, heads: 32, kvHeads: 8, intermediateSize: 8192 },
  'llama-3.2-3b': { ...LLAMA_3, hiddenSize: 3072, layers: 28, heads: 24, kvHeads: 8, intermediateSize: 8192 },
  'llama-3.1-8b': { ...LLAMA_3, hiddenSize: 4096, layers: 32, heads: 32, kvHeads: 8, intermediateSize: 14_336 },
  'llama-3.1-70b': { ...LLAMA_3, hiddenSize: 8192, layers: 80, heads: 64, kvHeads: 8, intermediateSize: 28_672 },
};
