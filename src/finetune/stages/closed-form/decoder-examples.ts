/**
 * @module What the decoder's fit learns from: for each position of some text, the bytes before it, what the decoder reads of its patch, and the
 * distribution of the next byte that the source expects. It is kept in memory, in float16, so that positions can be read in any
 * order, several times.
 */
import { type BltConfig, BYTE_OFFSET, hashTables } from '../../../blt/index.js';
import { gatherRows, linear, retracedFunction, rmsNorm, tf, valuesOf } from '../../../engine/index.js';
import {
  batchInputs,
  type Params,
  param,
  prefixMarginals,
  sourceHead,
  sourceNorm,
  type TensorBatch,
} from '../../../model/index.js';
import { type Arrays, type BatchWith, requireFields } from '../../../patching/index.js';
import { fromFloat32, toFloat32 } from '../../../safetensors/index.js';
import type { StepBatch } from '../../batches/step-batch.js';
import type { Layout } from './layout.js';

const BYTE_VALUES = 256;
const F16_BYTES = 2;
/** A row of expectations with less mass is padding. */
const MIN_MASS = 0.5;

const SOURCE_FIELDS = ['sourceStates', 'patchState', 'targetState', 'targetBounds'] as const;
const FIELDS = [...SOURCE_FIELDS, 'ids', 'documents', 'hashRows', 'decoderPatch', 'targetWeight'] as const;
type ExampleBatch = BatchWith<Arrays, (typeof FIELDS)[number]>;

export interface DecoderExamples {
  readonly count: number;
  /** The number of hash tables. */
  readonly tables: number;
  /** The id of each position's byte [count]. */
  readonly ids: Int32Array;
  /** The rows of the fused hash table [count * tables]. */
  readonly hashRows: Int32Array;
  /** The bytes read so far of the token that the next byte belongs to [count]. */
  readonly prefixes: readonly string[];
  /** The entropy of the source's expectation in nats [count]. */
  readonly entropies: Float32Array;
  /** Sums of products of the values of all patches [width, width], divided by the number of patches. */
  readonly covariance: Float64Array;
  /** What the first cross-attention reads of the patches of some positions [n, width], before its output matrix. */
  valuesAt(positions: ArrayLike<number>): Float32Array;
  /** The source's expectation of the next byte at some positions [n, 256]. */
  expectationsAt(positions: ArrayLike<number>): Float32Array;
}

/** What is fixed while examples are collected. */
export interface ExampleOptions {
  readonly config: BltConfig;
  readonly layout: Layout;
  /** The decoder's tensors, of which the projection of patches and the first norm of keys are read. */
  readonly params: Params;
  readonly source: Params;
  /** Batches with states and byte targets. */
  readonly batches: AsyncIterable<StepBatch>;
}

/** Computes the values of each patch [patches, width], and the expectation at each position [N, 256]. */
function sourceReader({ config, params, source }: ExampleOptions) {
  const { decoder, crossAttnK: slots, global } = config;
  const projection = param(params, 'model.local_decoder.patch_embedding_projection.weight');
  const norm = param(params, 'model.local_decoder.cross_attn_layers.0.k_norm.weight');
  const [finalNorm, head] = [sourceNorm(source), sourceHead(source)];
  const fn = retracedFunction('graph');
  return {
    async read(batch: ExampleBatch) {
      const { tensors, key, batchOf } = batchInputs(batch, SOURCE_FIELDS);
      const weights = [projection, norm, finalNorm, head];
      const body = (given: readonly tf.Tensor[]) => {
        const [toSlots, ofKeys, ofSource, toTokens] = given.slice(tensors.length) as [
          ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
        ];
        const fields: TensorBatch<(typeof SOURCE_FIELDS)[number]> = batchOf(given.slice(0, tensors.length));
        const { sourceStates, patchState, targetState, targetBounds } = fields;
        const rows = tf.reshape(linear(gatherRows(sourceStates, patchState), toSlots), [-1, decoder.hiddenSize]);
        const normal = rmsNorm(rows, ofKeys, decoder.rmsNormEps);
        const logits = linear(rmsNorm(sourceStates, ofSource, global.rmsNormEps), toTokens);
        return [
          tf.mean(tf.reshape(normal, [-1, slots, decoder.hiddenSize]), 1),
          prefixMarginals(logits, targetState, targetBounds),
        ];
      };
      const out = await fn.call(body, [...tensors, ...weights], key);
      const [values, expectations] = out.map((tensor) => tensor.dataSync() as Float32Array);
      tf.dispose([...tensors, ...out]);
      return { values: values!, expectations: expectations! };
    },
    dispose: () => fn.dispose(),
  };
}

/** The bytes of the current token before each next byte. Consecutive positions of one token have the same state as their target. */
function prefixesIn({ ids, documents, targetState, length }: ExampleBatch): string[] {
  let first = 0;
  return Array.from(ids, (_, at) => {
    const continues =
      at % length > 0 && documents?.[at] === documents?.[at - 1] && targetState[at] === targetState[at - 1];
    if (!continues) first = at;
    return String.fromCharCode(...ids.subarray(first + 1, at + 1).map((id) => id - BYTE_OFFSET));
  });
}

function entropyOf(expectation: Float32Array): number {
  let entropy = 0;
  for (const p of expectation) if (p > 0) entropy -= p * Math.log(p);
  return entropy;
}

/** Rows of one width, added in parts and kept in float16. A row is numbered by its part and its place in it. */
function halfRows(width: number) {
  const PLACES = 2 ** 20;
  const rowBytes = width * F16_BYTES;
  const parts: Uint8Array[] = [];
  return {
    /** @returns the number of the part's first row. */
    append: (values: Float32Array) => (parts.push(fromFloat32(values, 'F16')) - 1) * PLACES,
    at(rows: readonly number[]): Float32Array {
      const read = new Uint8Array(rows.length * rowBytes);
      rows.forEach((row, i) => {
        const [part, place] = [parts[Math.floor(row / PLACES)]!, row % PLACES];
        read.set(part.subarray(place * rowBytes, (place + 1) * rowBytes), i * rowBytes);
      });
      return toFloat32(read, 'F16');
    },
  };
}

/** Reads the batches once, and keeps every position that predicts a byte. The engine must be started. */
export async function collectExamples(options: ExampleOptions): Promise<DecoderExamples> {
  const { config, layout, batches } = options;
  const { width } = layout;
  const tables = hashTables(config.hash);
  const reader = sourceReader(options);
  const [values, expectations] = [halfRows(width), halfRows(BYTE_VALUES)];
  const kept = {
    ...{ ids: [] as number[], hashRows: [] as number[], prefixes: [] as string[], entropies: [] as number[] },
    ...{ patches: [] as number[], positions: [] as number[] },
  };
  const covariance = new Float64Array(width * width);
  let patchCount = 0;
  try {
    for await (const { batches: micros } of batches) {
      for (const arrays of micros) {
        const batch = requireFields(arrays, FIELDS);
        const read = await reader.read(batch);
        const products = valuesOf(() => {
          const rows = tf.tensor2d(read.values, [read.values.length / width, width]);
          return tf.matMul(rows, rows, true, false);
        });
        products.forEach((value, i) => {
          covariance[i]! += value;
        });
        patchCount += read.values.length / width;
        const [firstPatch, first] = [values.append(read.values), expectations.append(read.expectations)];
        const prefixes = prefixesIn(batch);
        batch.ids.forEach((id, at) => {
          const expected = read.expectations.subarray(at * BYTE_VALUES, (at + 1) * BYTE_VALUES);
          const mass = expected.reduce((sum, p) => sum + p, 0);
          if (batch.targetWeight[at] === 0 || mass < MIN_MASS) return;
          kept.ids.push(id);
          for (let table = 0; table < tables; table++) kept.hashRows.push(batch.hashRows[at * tables + table]!);
          kept.patches.push(firstPatch + batch.decoderPatch[at]!);
          kept.prefixes.push(prefixes[at]!);
          kept.entropies.push(entropyOf(expected));
          kept.positions.push(first + at);
        });
      }
    }
  } finally {
    reader.dispose();
  }
  return {
    count: kept.ids.length,
    tables,
    ids: Int32Array.from(kept.ids),
    hashRows: Int32Array.from(kept.hashRows),
    prefixes: kept.prefixes,
    entropies: Float32Array.from(kept.entropies),
    covariance: covariance.map((value) => value / patchCount),
    valuesAt: (positions) => values.at(Array.from(positions, (position) => kept.patches[position]!)),
    expectationsAt: (positions) => expectations.at(Array.from(positions, (position) => kept.positions[position]!)),
  };
}
