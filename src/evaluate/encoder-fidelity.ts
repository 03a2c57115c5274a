/**
 * @module How well an encoder speaks to the source (docs/distillation.md): the held source reads text once with its own token embeddings and
 * once with the encoder's patches in their places, and its bits per byte are compared. Nothing of the decoder is in it.
 */
import { type BltConfig, bitsPerByte, encodeBytes } from '../blt/index.js';
import { gatherRows, linear, rmsNorm, segmentSum, tf } from '../engine/index.js';
import {
  type BatchTensors,
  batchTensors,
  blockContext,
  bltEncode,
  globalLayers,
  type Params,
  type PatcherRunner,
  patchedOf,
  patchVectors,
  prefixMarginals,
  sourceEmbedding,
  sourceHead,
  sourceLogProbabilities,
  sourceNorm,
} from '../model/index.js';
import {
  type Alignment,
  type BatchArrays,
  bltArrays,
  isLateCut,
  patchedBatch,
  patcherArrays,
  readRows,
  type SourceReader,
  sourceArrays,
} from '../patching/index.js';

export interface EncoderFidelity {
  /** Squared error of the patches that are one token, of the embeddings' variance. */
  readonly relativeError: number;
  /** The source's, marginalised to bytes, on the text as the patcher cuts it, with its own embeddings. */
  readonly sourceBitsPerByte: number;
  /** The same with the encoder's patches in place of the embeddings of patches that are one token. */
  readonly bitsPerByte: number;
}

export interface FidelityQuestion {
  readonly config: BltConfig;
  /** The encoder, the latent global transformer's layers as the source has them, and the source's own tensors. */
  readonly params: Params;
  readonly reader: SourceReader;
  /** How the patcher was aligned with the source's tokens; null when it was not. */
  readonly alignment: Alignment | null;
  readonly patcher: PatcherRunner;
  readonly variance: number;
  readonly texts: readonly Uint8Array[];
}

/** A text as the model and the source read it: one row, cut by the patcher. */
async function readText(
  { config, reader, alignment, patcher }: FidelityQuestion,
  text: Uint8Array,
): Promise<{ readonly arrays: BatchArrays; readonly length: number }> {
  const ids = encodeBytes(text);
  const targets = new Int32Array(ids.length);
  targets.set(ids.subarray(1));
  const weights = new Float32Array(ids.length).fill(1, 0, text.length);
  const rows = [{ ids, targets, weights, chunks: [{ start: 0, end: ids.length }] }];
  const { entropies, endProbabilities } = await patcher.of(patcherArrays(rows));
  const batch = patchedBatch(rows, entropies, config);
  const late = (position: number) => isLateCut(alignment, endProbabilities?.[position] ?? 1);
  const readings = readRows(rows, batch, reader, late);
  const shape = { length: ids.length, patches: batch.patches, tokens: readings[0]!.tokenCount };
  const arrays = {
    ...bltArrays(rows, batch),
    ...sourceArrays(['encoder', 'states', 'bytes'], readings, shape, reader),
  };
  return { arrays, length: ids.length };
}

/** Measures on held-out texts, one at a time. The engine must be started. */
export async function encoderFidelity(question: FidelityQuestion): Promise<EncoderFidelity> {
  const { config, params, variance, texts } = question;
  const sums = { error: 0, patches: 0, source: 0, replaced: 0, bytes: 0 };
  for (const text of texts) {
    const { arrays, length } = await readText(question, text);
    tf.tidy(() => {
      const batch = batchTensors(arrays);
      const { patches: encoded } = bltEncode(params, config, patchedOf(batch, { rows: 1, length }));
      const vectors = patchVectors(params, encoded);
      const tokens = gatherRows(sourceEmbedding(params), batch.patchToken!);
      const embedded = gatherRows(sourceEmbedding(params), batch.sourceIds!);
      sums.error += squaredError(vectors, tokens, batch.patchWeight!) / variance;
      sums.patches += tf.sum(batch.patchWeight!).dataSync()[0]!;
      sums.source += natsOf(params, config, batch, embedded);
      sums.replaced += natsOf(params, config, batch, replaced(embedded, vectors, batch));
      sums.bytes += tf.sum(batch.targetWeight!).dataSync()[0]!;
    });
  }
  return {
    relativeError: sums.error / sums.patches,
    sourceBitsPerByte: bitsPerByte(sums.source, sums.bytes),
    bitsPerByte: bitsPerByte(sums.replaced, sums.bytes),
  };
}

/** Mean over the channels of squared differences, summed over the patches that count. */
function squaredError(vectors: tf.Tensor, tokens: tf.Tensor, weight: tf.Tensor): number {
  const perPatch = tf.mean(tf.squaredDifference(vectors, tokens), -1);
  return tf.sum(tf.mul(perPatch, weight)).dataSync()[0]!;
}

/** Embeddings of tokens with the vectors of patches in the places of those that are patches. */
function replaced(embedded: tf.Tensor, vectors: tf.Tensor, batch: BatchTensors): tf.Tensor {
  const count = embedded.shape[0]!;
  const weight = tf.reshape(batch.patchWeight!, [-1, 1]);
  const taken = segmentSum(tf.mul(vectors, weight), batch.patchState!, count);
  const kept = tf.sub(1, tf.minimum(1, segmentSum(weight, batch.patchState!, count)));
  return tf.add(tf.mul(embedded, kept), taken);
}

/** Nats of the bytes that came under the source, marginalised to bytes. */
function natsOf(params: Params, config: BltConfig, batch: BatchTensors, embedded: tf.Tensor): number {
  const documents = batch.sourceDocuments!;
  const shape = { rows: 1, length: documents.shape[1]!, documents };
  const states = globalLayers(params, embedded, blockContext(config.global, shape));
  const normal = rmsNorm(states, sourceNorm(params), config.global.rmsNormEps);
  const marginals = prefixMarginals(linear(normal, sourceHead(params)), batch.targetState!, batch.targetBounds!);
  const logs = sourceLogProbabilities(marginals, batch.targets!);
  return -tf.sum(tf.mul(logs, batch.targetWeight!)).dataSync()[0]!;
}
