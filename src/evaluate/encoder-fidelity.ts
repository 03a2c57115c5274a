/**
 * @module How well an encoder speaks to the source (docs/distillation.md): the held source reads text once with its own token embeddings and
 * once with the encoder's patches in their places, and its bits per byte are compared. Nothing of the decoder is in it.
 */
import { type BltConfig, bitsPerByte, encodeBytes } from '../blt/index.js';
import { gatherRows, linear, rmsNorm, segmentSum, tf } from '../engine/index.js';
import {
  batchTensors,
  blockContext,
  bltEncode,
  ENCODER_FIELDS,
  globalLayers,
  type Params,
  type PatcherRunner,
  patchVectors,
  prefixMarginals,
  sourceEmbedding,
  sourceHead,
  sourceLogProbabilities,
  sourceNorm,
  type TensorBatch,
} from '../model/index.js';
import {
  type Alignment,
  type Arrays,
  byteBatch,
  cutRows,
  isLateCut,
  learningFields,
  type PartialBatch,
  readRows,
  type SourceReader,
  withDocuments,
  withSource,
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

/** What is read of each text. */
const FIELDS = [
  ...ENCODER_FIELDS,
  ...(['targets', 'sourceIds', 'sourceDocuments', 'patchState', 'patchToken', 'patchWeight'] as const),
  ...(['targetState', 'targetBounds', 'targetWeight'] as const),
] as const;
type TextBatch = TensorBatch<(typeof FIELDS)[number]>;

/** A text as the model and the source read it: one row, cut by the patcher. */
async function readText(
  { config, reader, alignment, patcher }: FidelityQuestion,
  text: Uint8Array,
): Promise<PartialBatch<Arrays>> {
  const ids = encodeBytes(text);
  const targets = new Int32Array(ids.length);
  targets.set(ids.subarray(1));
  const weights = new Float32Array(ids.length).fill(1, 0, text.length);
  const rows = [{ ids, targets, weights, documents: [{ start: 0, end: ids.length }] }];
  const { entropies, endProbabilities } = await patcher.run(withDocuments(byteBatch(rows)));
  const cuts = cutRows(rows, entropies, config);
  const late = (position: number) => isLateCut(alignment, endProbabilities?.[position] ?? 1);
  const readings = readRows(rows, cuts, reader, late);
  const batch = { ...withDocuments(cuts.batch), ...learningFields(rows), tokens: readings[0]!.tokenCount };
  return withSource(batch, ['encoder', 'states', 'bytes'], readings, reader);
}

/** Measures on held-out texts, one at a time. The engine must be started. */
export async function encoderFidelity(question: FidelityQuestion): Promise<EncoderFidelity> {
  const { config, params, variance, texts } = question;
  const sums = { error: 0, patches: 0, source: 0, replaced: 0, bytes: 0 };
  for (const text of texts) {
    const arrays = await readText(question, text);
    tf.tidy(() => {
      const batch = batchTensors(arrays, FIELDS);
      const { patches: encoded } = bltEncode(params, config, batch);
      const vectors = patchVectors(params, encoded);
      const tokens = gatherRows(sourceEmbedding(params), batch.patchToken);
      const embedded = gatherRows(sourceEmbedding(params), batch.sourceIds);
      sums.error += squaredError(vectors, tokens, batch.patchWeight) / variance;
      sums.patches += tf.sum(batch.patchWeight).dataSync()[0]!;
      sums.source += natsOf(params, config, batch, embedded);
      sums.replaced += natsOf(params, config, batch, replaced(embedded, vectors, batch));
      sums.bytes += tf.sum(batch.targetWeight).dataSync()[0]!;
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
function replaced(embedded: tf.Tensor, vectors: tf.Tensor, { patchState, patchWeight }: TextBatch): tf.Tensor {
  const count = embedded.shape[0]!;
  const weight = tf.reshape(patchWeight, [-1, 1]);
  const taken = segmentSum(tf.mul(vectors, weight), patchState, count);
  const kept = tf.sub(1, tf.minimum(1, segmentSum(weight, patchState, count)));
  return tf.add(tf.mul(embedded, kept), taken);
}

/** Nats of the bytes that came under the source, marginalised to bytes. */
function natsOf(params: Params, config: BltConfig, batch: TextBatch, embedded: tf.Tensor): number {
  const shape = { rows: 1, length: batch.tokens, documents: batch.sourceDocuments };
  const states = globalLayers(params, embedded, blockContext(config.global, shape));
  const normal = rmsNorm(states, sourceNorm(params), config.global.rmsNormEps);
  const marginals = prefixMarginals(linear(normal, sourceHead(params)), batch.targetState, batch.targetBounds);
  const logs = sourceLogProbabilities(marginals, batch.targets);
  return -tf.sum(tf.mul(logs, batch.targetWeight)).dataSync()[0]!;
}
