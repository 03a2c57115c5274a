// What the checks get on a machine without a GPU, to test the checks themselves.

/** @type {import('./nvidia-smi.mjs').Gpu} */
export const NO_GPU = {
  index: 0,
  name: 'none',
  driver: 'none',
  uuid: 'none',
  totalBytes: null,
  usedBytes: null,
  computeCapability: null,
  sliced: false,
};

/** Options of the step's check: a model and a step that a CPU computes in a moment. */
export const SMALL_STEP = {
  hashVocab: 101,
  trial: {
    source: {
      hiddenSize: 64,
      layers: 1,
      heads: 4,
      kvHeads: 2,
      intermediateSize: 96,
      rmsNormEps: 1e-5,
      rope: { type: 'default', theta: 10_000 },
    },
    rows: 2,
    rowBytes: 64,
    matmulSize: 64,
  },
};
