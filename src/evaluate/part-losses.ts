/**
 * @module Measures where bits are lost (docs/distillation.md): the frozen source reads text once with its own embeddings and once with the
 * encoder's patches in their place, and the decoder reads the source's own states. Each part is thus measured by itself.
 */
import { type BltConfig, bitsPerByte, encodeBytes } from '../blt/index.js';
import { gatherRows, linear, rmsNorm, segmentSum, tf } from '../engine/index.js';
import {
  BLT_FIELDS,
  batchTensors,
  blockContext,
  bltDecode,
  bltEncode,
  byteLogProbabilities,
  type Params,
  type PatcherRunner,
  patchVectors,
  prefixMarginals,
  sourceEmbedding,
  sourceHead,
  sourceLayers,
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

export interface PartLosses {
  /** Mean squared error of the patches that are one token, divided by the variance of the source's embeddings. */
  readonly relativeError: number;
  /** The source's, marginalised to bytes, with its own embeddings, on text tokenised patch by patch. */
  readonly sourceBitsPerByte: number;
  /** The same with the encoder's patches in place of the embeddings, for patches that are one token. */
  readonly encoderBitsPerByte: number;
  /** The decoder's, with the source's states after each patch in place of the latent global transformer's. */
  readonly decoderBitsPerByte: number;
}

export interface PartInputs {
  readonly config: BltConfig;
  /** The local models, the source's layers under their names in the latent global transformer, and the source's own tensors. */
  readonly params: Params;
  readonly reader: SourceReader;
  /** How the patcher was aligned with the source's tokens; null if it was not. */
  readonly alignment: Alignment | null;
  readonly patcher: PatcherRunner;
  /** Mean over the channels of the variance of the source's embeddings. */
  readonly variance: number;
  readonly texts: readonly Uint8Array[];
}

/** The batch fields that the measurement reads. */
const FIELDS = [
  ...BLT_FIELDS,
  ...(['targets', 'sourceIds', 'sourceDocuments', 'patchState', 'patchToken', 'patchWeight'] as const),
  ...(['targetState', 'targetBounds', 'targetWeight'] as const),
] as const;
type TextBatch = TensorBatch<(typeof FIELDS)[number]>;

/** Makes a batch of one row from a text, segmented by the patcher, with the source's tokens and targets. */
async function readText(
  { config, reader, alignment, patcher }: PartInputs,
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

/** Measures encoder and decoder on held-out texts, one at a time. The engine must be started. */
export async function partLosses(inputs: PartInputs): Promise<PartLosses> {
  const { config, params, variance, texts } = inputs;
  const sums = { error: 0, patches: 0, source: 0, encoder: 0, decoder: 0, bytes: 0 };
  for (const text of texts) {
    const arrays = await readText(inputs, text);
    tf.tidy(() => {
      const batch = batchTensors(arrays, FIELDS);
      const { bytes, patches } = bltEncode(params, config, batch);
      const vectors = patchVectors(params, patches);
      const tokens = gatherRows(sourceEmbedding(params), batch.patchToken);
      const embedded = gatherRows(sourceEmbedding(params), batch.sourceIds);
      sums.error += squaredError(vectors, tokens, batch.patchWeight) / variance;
      sums.patches += tf.sum(batch.patchWeight).dataSync()[0]!;
      const states = statesOf(params, config, batch, embedded);
      sums.source += sourceNats(params, config, batch, states);
      const fed = statesOf(params, config, batch, replaced(embedded, vectors, batch));
      sums.encoder += sourceNats(params, config, batch, fed);
      sums.decoder += decoderNats(params, config, batch, { bytes, patches: gatherRows(states, batch.patchState) });
      sums.bytes += tf.sum(batch.targetWeight).dataSync()[0]!;
    });
  }
  return {
    relativeError: sums.error / sums.patches,
    sourceBitsPerByte: bitsPerByte(sums.source, sums.bytes),
    encoderBitsPerByte: bitsPerByte(sums.encoder, sums.bytes),
    decoderBitsPerByte: bitsPerByte(sums.decoder, sums.bytes),
  };
}

/** The squared differences, averaged over the channels and summed over the patches with weight 1. */
function squaredError(vectors: tf.Tensor, tokens: tf.Tensor, weight: tf.Tensor): number {
  const perPatch = tf.mean(tf.squaredDifference(vectors, tokens), -1);
  return tf.sum(tf.mul(perPatch, weight)).dataSync()[0]!;
}

/** Token embeddings [tokens, Hg], where each token that equals a patch is replaced by the patch's vector. */
function replaced(embedded: tf.Tensor, vectors: tf.Tensor, { patchState, patchWeight }: TextBatch): tf.Tensor {
  const count = embedded.shape[0]!;
  const weight = tf.reshape(patchWeight, [-1, 1]);
  const taken = segmentSum(tf.mul(vectors, weight), patchState, count);
  const kept = tf.sub(1, tf.minimum(1, segmentSum(weight, patchState, count)));
  return tf.add(tf.mul(embedded, kept), taken);
}

/** The source's states [tokens, Hg] after vectors in place of its embeddings [tokens, Hg]. */
function statesOf(params: Params, config: BltConfig, batch: TextBatch, vectors: tf.Tensor): tf.Tensor {
  const shape = { rows: 1, length: batch.tokens, documents: batch.sourceDocuments };
  return sourceLayers(params, vectors, blockContext(config.global, shape));
}

/** The negative log-likelihood of the text's bytes under the source, marginalised to bytes, in nats. */
function sourceNats(params: Params, config: BltConfig, batch: TextBatch, states: tf.Tensor): number {
  const normal = rmsNorm(states, sourceNorm(params), config.global.rmsNormEps);
  const marginals = prefixMarginals(linear(normal, sourceHead(params)), batch.targetState, batch.targetBounds);
  return natsOf(sourceLogProbabilities(marginals, batch.targets), batch);
}

/** The negative log-likelihood of the text's bytes under the decoder, in nats. */
function decoderNats(
  params: Params,
  config: BltConfig,
  batch: TextBatch,
  inputs: { readonly bytes: tf.Tensor; readonly patches: tf.Tensor },
): number {
  const logits = bltDecode(params, config, batch, inputs);
  return natsOf(byteLogProbabilities(logits, batch.targets), batch);
}

const natsOf = (logProbabilities: tf.Tensor, { targetWeight }: TextBatch): number =>
  -tf.sum(tf.mul(logProbabilities, targetWeight)).dataSync()[0]!;
