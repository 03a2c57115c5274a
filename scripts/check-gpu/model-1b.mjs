// The model of the compiled step: a BLT with the sizes of a converted Llama 3.2 1B and random weights, and its memory plan.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SOURCE_SIZES } from '../../bench/source-sizes.mjs';
import {
  bltConfigFor,
  bltTensors,
  deriveLocalSizes,
  muonShare,
  toTransformersConfig,
  trainingFlopsPerByte,
} from '../../dist/blt/index.js';
import { trainingStageCost, usedParametersByPart } from '../../dist/plan/index.js';
import { generatorOf } from '../../dist/random.js';
import { fillTruncatedNormal } from '../../dist/remap/truncated-normal.js';
import { elementCount, fromFloat32, writeCheckpoint } from '../../dist/safetensors/index.js';

/** @typedef {import('../../dist/blt/index.js').SourceSizes} SourceSizes */

/** @type {SourceSizes} */
export const LLAMA_1B = SOURCE_SIZES['llama-3.2-1b'];

/** Rows of a hash table. A model of this size would get 500,002, whose 3 G parameters take 12 bytes each and enter no matrix product. */
export const HASH_VOCAB = 20_002;
const BYTES_PER_PATCH = 4;
/** @type {import('../../dist/blt/index.js').StageShape} */
const END_TO_END = { kind: 'end-to-end', frozen: [], losses: { prefix_kl: 0 } };
/** End-to-end training does not use the source. */
const SOURCE = { vocabSize: 128_256, bytesPerToken: 3.5 };
/** Rows per step and bytes per row, from large to small. */
const SHAPES = [
  [16, 4096],
  [8, 4096],
  [4, 4096],
  [2, 4096],
  [1, 4096],
  [1, 2048],
  [1, 1024],
];
/** The share of the GPU's memory that a plan may use; the rest is a margin for the plan's error. */
const MEMORY_SHARE = 0.85;

/** @param {SourceSizes} source @param {number} hashVocab */
export function configOf(source, hashVocab) {
  return bltConfigFor(source, { ...deriveLocalSizes(source), hashVocab });
}

/** The predicted cost of a step of `rows` rows of `rowBytes` bytes. */
export function planOf(config, rows, rowBytes) {
  const counts = usedParametersByPart(config);
  const cost = trainingStageCost({
    config,
    counts,
    source: SOURCE,
    work: {
      name: 'check:gpu',
      stage: END_TO_END,
      steps: 1,
      muon: muonShare(config, END_TO_END, 'adamw'),
      closedForm: null,
      bytes: rows * rowBytes,
      rowBytes,
      rowsPerStep: rows,
      microBatchRows: rows,
      bytesPerPatch: BYTES_PER_PATCH,
      precision: 'bfloat16',
      gradientCheckpointing: false,
      optimizerState: 'float32',
      adapterParameters: 0,
      keepCheckpoints: 1,
      sourceStatesCacheBytes: 0,
      loadsSourceLayers: false,
    },
    frozenWeightBytes: 2,
    flopsPerSecond: null,
  });
  return {
    rows,
    rowBytes,
    bytesPerPatch: BYTES_PER_PATCH,
    bytes: cost.memory.peakBytes,
    parameters: cost.trainedParameters,
    flopsPerByte: trainingFlopsPerByte(config, { bytes: rowBytes, bytesPerPatch: BYTES_PER_PATCH }),
  };
}

/** The plan of the largest step that fits the GPU's memory; null if none does. */
export function largestStep(config, memoryBytes) {
  return (
    SHAPES.map(([rows, rowBytes]) => planOf(config, rows, rowBytes)).find(
      ({ bytes }) => bytes <= MEMORY_SHARE * memoryBytes,
    ) ?? null
  );
}

const BLOCK_VALUES = 2 ** 20;

/** Repeats one block of random values, which is fast to write; the values only need to be nonzero. */
function blocksOf() {
  const blocks = new Map();
  return function* ({ shape, initStd }) {
    if (!blocks.has(initStd)) {
      const values = new Float32Array(BLOCK_VALUES);
      if (initStd === 0) values.fill(1);
      else fillTruncatedNormal(values, initStd, generatorOf(`check-gpu/${initStd}`));
      blocks.set(initStd, fromFloat32(values, 'BF16'));
    }
    const block = blocks.get(initStd);
    for (let left = 2 * elementCount(shape); left > 0; left -= block.byteLength)
      yield block.subarray(0, Math.min(left, block.byteLength));
  };
}

/** Writes the model in bfloat16, 2 bytes per parameter. */
export async function writeModel(folder, config) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(toTransformersConfig(config, 'bfloat16')));
  const specs = new Map(bltTensors(config).map((spec) => [spec.name, spec]));
  const infos = [...specs.values()].map(({ name, shape }) => ({ name, dtype: /** @type {const} */ ('BF16'), shape }));
  const blocks = blocksOf();
  await writeCheckpoint(folder, infos, async function* ({ name }) {
    yield* blocks(specs.get(name));
  });
}
