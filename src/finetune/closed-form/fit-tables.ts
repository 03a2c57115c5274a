/** @module Byte and hash n-gram embeddings of the closed-form start. */
import { type BltConfig, BYTE_OFFSET } from '../../blt/index.js';
import { type ObservedText, principalDirections, type SourceReader, telescope } from '../../distill/index.js';
import { tf } from '../../engine/index.js';
import type { Tensors } from './encoder-tensors.js';
import { constantOf, contentRms, countUnit, type Layout } from './layout.js';

export const BYTE_EMBEDDINGS = 'model.local_encoder.embed_tokens.weight';
export const HASH_EMBEDDINGS = 'model.encoder_hash_tok_embedding.weight';

/** Every ordinary token by itself: at its last byte it is seen, and nothing is known of what comes before. */
export function vocabularyTexts({ vocabulary }: SourceReader, weight: number): ObservedText[] {
  return Array.from({ length: vocabulary.ordinary }, (_, rank) => {
    const bytes = vocabulary.bytesAt(rank);
    const vector = new Int32Array(bytes.length).fill(-1);
    vector[bytes.length - 1] = rank;
    const scalar = new Float32Array(bytes.length).fill(Number.NaN);
    return { ids: Int32Array.from(bytes, (byte) => byte + BYTE_OFFSET), vector, scalar, weight, isWhole: false };
  });
}

/**
 * The source's embeddings in the content channels: scaled, and turned onto their principal directions where there are fewer channels.
 * @param embedding [V, Hg]. @returns [V, content].
 */
export function contentVectors(embedding: tf.Tensor, layout: Layout): Float32Array {
  return tf.tidy(() => {
    const width = embedding.shape[1]!;
    let vectors = embedding;
    if (layout.content < width) {
      const gram = Float64Array.from(tf.matMul(embedding, embedding, true, false).dataSync());
      const directions = principalDirections(gram, width, layout.content);
      vectors = tf.matMul(embedding, tf.tensor2d(directions, [layout.content, width]), false, true);
    }
    const meanSquare = tf.mean(tf.square(vectors));
    return tf.mul(vectors, tf.div(contentRms(layout), tf.sqrt(meanSquare))).dataSync() as Float32Array;
  });
}

/** @param texts what was seen in text and vocabulary. @param vectors what `contentVectors` made. */
export function fitTables(
  { hash }: BltConfig,
  layout: Layout,
  texts: readonly ObservedText[],
  vectors: Float32Array,
): Tensors {
  const { width, content, count, constant } = layout;
  const { bytes, tables } = telescope({ texts, vectors, width: content, hash });
  const unit = countUnit(layout);
  const placed = (from: Float32Array, to: Float32Array, at: number) => {
    const stride = content + 1;
    for (let row = 0; row < from.length / stride; row++) {
      to.set(from.subarray(row * stride, row * stride + content), (at + row) * width);
      to[(at + row) * width + count] = unit * from[row * stride + content]!;
    }
  };
  const ofBytes = new Float32Array((bytes.length / (content + 1)) * width);
  placed(bytes, ofBytes, 0);
  for (let at = constant; at < ofBytes.length; at += width) ofBytes[at] = constantOf(layout);
  const ofGrams = new Float32Array(tables.length * hash.vocab * width);
  tables.forEach((table, i) => {
    placed(table, ofGrams, i * hash.vocab);
  });
  return new Map([
    [BYTE_EMBEDDINGS, ofBytes],
    [HASH_EMBEDDINGS, ofGrams],
  ]);
}
