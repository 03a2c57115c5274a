/** @module Byte embeddings and hash n-gram tables of the closed-form initialisation. */
import { type BltConfig, BYTE_OFFSET } from '../../../blt/index.js';
import { tf, valuesOf } from '../../../engine/index.js';
import type { SourceReader } from '../../../patching/index.js';
import type { Tensors } from './encoder-tensors.js';
import { constantOf, contentRms, countUnit, type Layout } from './layout.js';
import { principalDirections } from './least-squares.js';
import type { NgramModel } from './ngram-model.js';
import type { Observations } from './observations.js';
import { fitResidualBackoff, type ObservedText } from './residual-backoff.js';

export const BYTE_EMBEDDINGS = 'model.local_encoder.embed_tokens.weight';
export const HASH_EMBEDDINGS = 'model.encoder_hash_tok_embedding.weight';

/** Each ordinary token as a text of its own: the token is observed at its last byte, and the bytes before it are unknown. */
export function* vocabularyTexts(
  { vocabulary }: SourceReader,
  vectors: Float32Array,
  weight: number,
): Generator<ObservedText> {
  for (let rank = 0; rank < vocabulary.ordinary; rank++) {
    const ids = Int32Array.from(vocabulary.bytesAt(rank), (byte) => byte + BYTE_OFFSET);
    const vector = new Int32Array(ids.length).fill(-1);
    vector[ids.length - 1] = rank;
    const scalar = new Float32Array(ids.length).fill(Number.NaN);
    yield { ids, vector, vectors, scalar, weight, isWhole: false };
  }
}

/**
 * The source's embeddings scaled for the content channels, projected onto their principal directions if there are fewer channels.
 * @param embedding [V, Hg]. @returns [V, content].
 */
export function contentVectors(embedding: tf.Tensor, layout: Layout): Float32Array {
  return valuesOf(() => {
    const width = embedding.shape[1]!;
    let vectors = embedding;
    if (layout.content < width) {
      const gram = tf.matMul(embedding, embedding, true, false).dataSync();
      const directions = principalDirections(gram, width, layout.content);
      vectors = tf.matMul(embedding, tf.tensor2d(directions, [layout.content, width]), false, true);
    }
    const meanSquare = tf.mean(tf.square(vectors));
    return tf.mul(vectors, tf.div(contentRms(layout), tf.sqrt(meanSquare)));
  });
}

/**
 * Fits the count channel, and the content channels if they are wanted; otherwise they are zero.
 * @param seen the observations of text and vocabulary, with vectors from `contentVectors`.
 */
export async function fitTables(
  { hash }: BltConfig,
  layout: Layout,
  seen: Observations,
  withContent: boolean,
): Promise<Tensors> {
  const { width, count, constant } = layout;
  const { bytes, ngrams } = await fitResidualBackoff({
    ...{ texts: seen.texts, hash, width: withContent ? layout.content : 0 },
    ...{ rowWidth: width, scalarChannel: count },
  });
  const unit = countUnit(layout);
  for (const rows of [bytes, ngrams]) for (let at = count; at < rows.length; at += width) rows[at]! *= unit;
  for (let at = constant; at < bytes.length; at += width) bytes[at] = constantOf(layout);
  return new Map([
    [BYTE_EMBEDDINGS, bytes],
    [HASH_EMBEDDINGS, ngrams],
  ]);
}

/** The tables among fitted tensors: of bytes [260, width], and of n-grams [rows, width]. */
export const tablesOf = (fitted: ReadonlyMap<string, Float32Array>) => ({
  bytes: fitted.get(BYTE_EMBEDDINGS)!,
  ngrams: fitted.get(HASH_EMBEDDINGS)!,
});

/** Puts the sums of an n-gram model into the spare channels of fitted tables, multiplied by `scale`. */
export function addNgrams(
  { width, content, spare }: Layout,
  fitted: ReadonlyMap<string, Float32Array>,
  ngrams: NgramModel,
  scale: number,
): void {
  const place = (from: Float32Array, into: Float32Array) => {
    for (let row = 0; row < from.length / spare; row++)
      for (let i = 0; i < spare; i++) into[row * width + content + i] = scale * from[row * spare + i]!;
  };
  const tables = tablesOf(fitted);
  place(ngrams.bytes, tables.bytes);
  place(ngrams.tables, tables.ngrams);
}
