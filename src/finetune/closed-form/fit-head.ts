/**
 * @module The output side of the closed-form start: which directions of the source's normed state tell the next byte, and a head that reads them
 * beside the byte's own state. Both are least squares on the log-probabilities that the source gives to bytes.
 */
import { type BltConfig, BYTE_OFFSET, VOCAB_SIZE } from '../../blt/index.js';
import {
  addProducts,
  emptyProducts,
  prefixMarginals,
  principalDirections,
  ridge,
  type SourceReader,
} from '../../distill/index.js';
import { crossEntropySum, gatherRows, linear, rmsNorm, tf } from '../../engine/index.js';
import { blockContext, bltEncode, localDecoder, type Params, param } from '../../model/index.js';
import type { StepBatch } from '../batch-preparer.js';
import { batchTensors } from '../batch-tensors.js';
import { type BatchTensors, patchedOf } from '../objective.js';
import { sourceHead, sourceNorm } from '../source-tensors.js';
import type { Tensors } from './encoder-tensors.js';
import type { Layout } from './layout.js';
import type { Workbench } from './workbench.js';

/** Log-probabilities are fitted down to here: what is rarer may be as wrong as it likes. */
const LEAST_LOG_PROBABILITY = -9;
/** What special ids get, in nats beside the mean byte: never likely. */
const SPECIAL_LOG_PROBABILITY = -6;
/** Least squares on logarithms hedges; the head is sharpened by the one of these that predicts the text best. */
const SHARPENINGS = [0.25, 0.5, 0.75, 1, 1.15, 1.3, 1.5, 1.75, 2, 2.5] as const;
const BYTE_VALUES = 256;

/** Logits of the source over its sorted vocabulary, of states before its final norm [N, Hg]. */
function sourceLogits(source: Params, states: tf.Tensor, epsilon: number): tf.Tensor {
  return linear(rmsNorm(states, sourceNorm(source), epsilon), sourceHead(source));
}

/** Log-probabilities [N, 256], none below the least, less their mean: logits that a head may have. */
function centredLogs(marginals: tf.Tensor): tf.Tensor {
  const logs = tf.log(tf.maximum(marginals, Math.exp(LEAST_LOG_PROBABILITY)));
  return tf.sub(logs, tf.mean(logs, -1, true));
}

/** The first cross-attention's values of states, mean over a patch's rows: [N, width]. */
function valuesOf(params: Params, config: BltConfig, states: tf.Tensor): tf.Tensor {
  const { decoder, crossAttnK: slots } = config;
  const projected = linear(states, param(params, 'model.local_decoder.patch_embedding_projection.weight'));
  const rows = tf.reshape(projected, [-1, decoder.hiddenSize]);
  const normal = rmsNorm(
    rows,
    param(params, 'model.local_decoder.cross_attn_layers.0.k_norm.weight'),
    decoder.rmsNormEps,
  );
  return tf.mean(tf.reshape(normal, [-1, slots, decoder.hiddenSize]), 1);
}

/**
 * The directions of the decoder's values in which the source's expectation of a token's first byte varies most, each scaled to the
 * deviation of a state's channel.
 * @param batches with states. @returns [spare, width].
 */
export async function expectedDirections(
  config: BltConfig,
  layout: Layout,
  workbench: Workbench,
  source: Params,
  reader: SourceReader,
  batches: AsyncIterable<StepBatch>,
  ridgeShare: number,
): Promise<Float32Array> {
  const { width, spare, scale } = layout;
  const products = emptyProducts(width, BYTE_VALUES);
  const firstBytes = reader.vocabulary.boundsOf(new Uint8Array());
  let count = 0;
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      tf.tidy(() => {
        const batch = batchTensors(arrays);
        // The states that bytes are predicted from, a token's once.
        const states = gatherRows(batch.sourceStates!, distinct(batch.targetState!));
        const n = states.shape[0]!;
        const bounds = tf.tile(tf.tensor2d(firstBytes, [1, BYTE_VALUES + 1], 'int32'), [n, 1]);
        const logits = sourceLogits(source, states, config.global.rmsNormEps);
        const wanted = centredLogs(prefixMarginals(logits, tf.range(0, n, 1, 'int32'), bounds));
        const values = valuesOf(workbench.params(), config, states);
        addProducts(products, {
          gram: tf.matMul(values, values, true, false).dataSync(),
          cross: tf.matMul(values, wanted, true, false).dataSync(),
        });
        count += n;
      });
    }
  }
  const weights = ridge(products, ridgeShare); // [256, width]
  return tf.tidy(() => {
    const w = tf.tensor2d(weights, [BYTE_VALUES, width]);
    const gram = tf.tensor2d(Float32Array.from(products.gram), [width, width]);
    const covariance = tf.div(tf.matMul(tf.matMul(w, gram), w, false, true), count);
    const few = Math.min(spare, BYTE_VALUES);
    const directions = principalDirections(Float64Array.from(covariance.dataSync()), BYTE_VALUES, few);
    const reduced = tf.matMul(tf.tensor2d(directions, [few, BYTE_VALUES]), w); // [few, width]
    const square = tf.div(tf.sum(tf.mul(tf.matMul(reduced, gram), reduced), -1, true), count);
    const scaled = tf.mul(reduced, tf.div(scale, tf.sqrt(square)));
    return tf
      .pad(scaled as tf.Tensor2D, [
        [0, spare - few],
        [0, 0],
      ])
      .dataSync() as Float32Array;
  });
}

function distinct(ids: tf.Tensor): tf.Tensor {
  return tf.tensor1d(Int32Array.from(new Set(ids.dataSync())), 'int32');
}

/** Normed hidden states of the decoder [rows * length, width] where the source's states stand for the latent patches. */
function decoderStates(
  params: Params,
  config: BltConfig,
  batch: BatchTensors,
  shape: { rows: number; length: number },
) {
  const patched = patchedOf(batch, shape);
  const { bytes } = bltEncode(params, config, patched);
  const patches = gatherRows(batch.sourceStates!, batch.patchState!);
  return localDecoder(params, config, patched, blockContext(config.decoder, patched), { bytes, patches });
}

/**
 * The head: from the decoder's last states to what the source expects of every byte.
 * @param batches with states and byte targets; they are read once to fit and once more, the first of them, to sharpen.
 */
export async function fitHead(
  config: BltConfig,
  workbench: Workbench,
  source: Params,
  batches: () => AsyncIterable<StepBatch>,
  ridgeShare: number,
): Promise<Tensors> {
  const width = config.decoder.hiddenSize;
  const products = emptyProducts(width, VOCAB_SIZE);
  for await (const { batches: micros } of batches()) {
    for (const arrays of micros) {
      const [rows, length] = arrays.documents!.shape as [number, number];
      tf.tidy(() => {
        const batch = batchTensors(arrays);
        const counts = tf.reshape(batch.targetWeight!, [-1, 1]);
        const f = tf.mul(decoderStates(workbench.params(), config, batch, { rows, length }), counts);
        const logits = sourceLogits(source, batch.sourceStates!, config.global.rmsNormEps);
        const logs = centredLogs(prefixMarginals(logits, batch.targetState!, batch.targetBounds!));
        const special = tf.fill([rows * length, BYTE_OFFSET], SPECIAL_LOG_PROBABILITY);
        const wanted = tf.mul(tf.concat([special, logs], 1), counts);
        addProducts(products, {
          gram: tf.matMul(f, f, true, false).dataSync(),
          cross: tf.matMul(f, wanted, true, false).dataSync(),
        });
      });
    }
  }
  const weights = ridge(products, ridgeShare);
  const best = await sharpening(config, workbench, weights, batches());
  return new Map([['lm_head.weight', weights.map((value) => value * best)]]);
}

/** Batches that tell how sharp a head should be. */
const SHARPENING_BATCHES = 8;

async function sharpening(
  config: BltConfig,
  workbench: Workbench,
  weights: Float32Array,
  batches: AsyncIterable<StepBatch>,
): Promise<number> {
  const nats = SHARPENINGS.map(() => 0);
  let seen = 0;
  for await (const { batches: micros } of batches) {
    for (const arrays of micros) {
      const [rows, length] = arrays.documents!.shape as [number, number];
      tf.tidy(() => {
        const batch = batchTensors(arrays);
        const f = decoderStates(workbench.params(), config, batch, { rows, length });
        const logits = linear(f, tf.tensor2d(weights, [VOCAB_SIZE, config.decoder.hiddenSize]));
        SHARPENINGS.forEach((factor, i) => {
          const sum = crossEntropySum(tf.mul(logits, factor), batch.targets!, batch.targetWeight!);
          nats[i]! += sum.dataSync()[0]!;
        });
      });
    }
    if (++seen === SHARPENING_BATCHES) break;
  }
  if (process.env.DBG) console.error(SHARPENINGS.map((f, i) => [f, nats[i]]));
  return SHARPENINGS[nats.indexOf(Math.min(...nats))]!;
}
