/**
 * @module How well an encoder speaks to the source (docs/distillation.md): the held source reads text once with its own token embeddings and
 * once with the encoder's patches in their places, and its bits per byte are compared. Nothing of the decoder is in it.
 */
import { type BltConfig, BOE, bitsPerByte, encodeBytes } from '../blt/index.js';
import type { PackedRow } from '../data/index.js';
import { embeddingLoss, prefixMarginals, sourceLogProbabilities } from '../distill/index.js';
import { gatherRows, linear, rmsNorm, segmentSum, tf } from '../engine/index.js';
import { blockContext, bltEncode, globalLayers, type Params, patchVectors } from '../model/index.js';
import type { SourceSettings } from './batch-preparer.js';
import { createBatchSource } from './batch-source.js';
import { batchTensors } from './batch-tensors.js';
import type { Entropies } from './entropies.js';
import { type BatchTensors, patchedOf } from './objective.js';
import { sourceEmbedding, sourceHead, sourceNorm } from './source-tensors.js';

export interface EncoderFidelity {
  /** Squared error of the patches that are one token, of the embeddings' variance. */
  readonly relativeError: number;
  /** The source's, marginalised to bytes, on the text as the patcher cuts it, with its own embeddings. */
  readonly sourceBitsPerByte: number;
  /** The same with the encoder's patches in place of the embeddings of patches that are one token. */
  readonly bitsPerByte: number;
}

/** A text as a row with room for the longest. */
function textRow(text: Uint8Array, length: number): PackedRow {
  const ids = new Int32Array(length).fill(BOE);
  ids.set(encodeBytes(text));
  const targets = new Int32Array(length);
  targets.set(ids.subarray(1, text.length + 1));
  const weights = new Float32Array(length).fill(1, 0, text.length);
  const chunks = [{ start: 0, end: text.length + 1 }];
  return { ids, targets, weights, chunks, byteCount: text.length, number: -1 };
}

export interface FidelityQuestion {
  readonly config: BltConfig;
  /** The encoder, the latent global transformer's layers as the source has them, and the source's own tensors. */
  readonly params: Params;
  readonly source: Omit<SourceSettings, 'targets'>;
  readonly entropies: (length: number) => Entropies;
  readonly variance: number;
  readonly texts: readonly Uint8Array[];
}

/** Measures on held-out texts, one at a time. The engine must be started. */
export async function encoderFidelity(question: FidelityQuestion): Promise<EncoderFidelity> {
  const { config, params, source, variance, texts } = question;
  const length = Math.max(...texts.map((text) => text.length)) + 1;
  const entropies = question.entropies(length);
  const batches = createBatchSource({
    rows: { kind: 'given', rows: texts.map((text) => textRow(text, length)) },
    config,
    patched: true,
    source: { ...source, targets: ['encoder', 'states', 'bytes'] },
    weights: 'weights',
    trainsTable: false,
    rowsPerStep: 1,
    microBatchRows: 1,
    room: { patches: 0, tokens: 0 },
    entropies: entropies.of,
  });
  let [error, patches, own, taken, bytes] = [0, 0, 0, 0, 0];
  try {
    for (let i = 0; i < texts.length; i++) {
      const [arrays] = (await batches.next()).batches;
      tf.tidy(() => {
        const batch = batchTensors(arrays!);
        const { patches: encoded } = bltEncode(params, config, patchedOf(batch, { rows: 1, length }));
        const vectors = patchVectors(params, encoded);
        const tokens = gatherRows(sourceEmbedding(params), batch.patchToken!);
        error += embeddingLoss(vectors, tokens, batch.patchWeight!, variance).dataSync()[0]!;
        patches += tf.sum(batch.patchWeight!).dataSync()[0]!;
        const embedded = gatherRows(sourceEmbedding(params), batch.sourceIds!);
        own += natsOf(params, config, batch, embedded);
        taken += natsOf(params, config, batch, replaced(embedded, vectors, batch));
        bytes += tf.sum(batch.targetWeight!).dataSync()[0]!;
      });
    }
  } finally {
    await batches.close();
    entropies.dispose();
  }
  return {
    relativeError: error / patches,
    sourceBitsPerByte: bitsPerByte(own, bytes),
    bitsPerByte: bitsPerByte(taken, bytes),
  };
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
