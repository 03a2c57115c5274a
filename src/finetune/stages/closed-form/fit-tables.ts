/** @module Byte and hash n-gram embeddings of the closed-form start. */
import { type BltConfig, BYTE_OFFSET, VOCAB_SIZE } from '../../../blt/index.js';
import { tf } from '../../../engine/index.js';
import type { SourceReader } from '../../../patching/index.js';
import type { Tensors } from './encoder-tensors.js';
import { constantOf, contentRms, countUnit, type Layout } from './layout.js';
import { principalDirections } from './least-squares.js';
import type { Observations } from './observations.js';
import { fitResidualBackoff, type ObservedText, type ResidualBackoff } from './residual-backoff.js';

export const BYTE_EMBEDDINGS = 'model.local_encoder.embed_tokens.weight';
export const HASH_EMBEDDINGS = 'model.encoder_hash_tok_embedding.weight';

/** Every ordinary token by itself: at its last byte it is seen, and nothing is known of what comes before. */
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
 * The source's embeddings in the content channels: scaled, and turned onto their principal directions where there are fewer channels.
 * @param embedding [V, Hg]. @returns [V, content].
 */
export function contentVectors(embedding: tf.Tensor, layout: Layout): Float32Array {
  return tf.tidy(() => {
    const width = embedding.shape[1]!;
    let vectors = embedding;
    if (layout.content < width) {
      const gram = tf.matMul(embedding, embedding, true, false).dataSync();
      const directions = principalDirections(gram, width, layout.content);
      vectors = tf.matMul(embedding, tf.tensor2d(directions, [layout.content, width]), false, true);
    }
    const meanSquare = tf.mean(tf.square(vectors));
    return tf.mul(vectors, tf.div(contentRms(layout), tf.sqrt(meanSquare))).dataSync() as Float32Array;
  });
}

/** Writes the rows of some tables into channels of others. @param from [rows, width + 1]. @param at the first row that they go to. */
type Place = (from: Float32Array, to: Float32Array, at: number) => void;

/** @param seen in text and vocabulary, with what `contentVectors` made. */
export async function fitTables({ hash }: BltConfig, layout: Layout, seen: Observations): Promise<Tensors> {
  const { width, content, count, constant } = layout;
  const unit = countUnit(layout);
  const place: Place = (from, to, at) => {
    const stride = content + 1;
    for (let row = 0; row < from.length / stride; row++) {
      to.set(from.subarray(row * stride, row * stride + content), (at + row) * width);
      to[(at + row) * width + count] = unit * from[row * stride + content]!;
    }
  };
  const { bytes, tables } = await fitResidualBackoff({ texts: seen.texts, width: content, hash });
  const ofBytes = new Float32Array(VOCAB_SIZE * width);
  for (let at = constant; at < ofBytes.length; at += width) ofBytes[at] = constantOf(layout);
  const ofGrams = new Float32Array(tables.length * hash.vocab * width);
  return placed({ bytes, tables }, { ofBytes, ofGrams }, hash.vocab, place);
}

/** Adds what n-grams tell of the next byte, in `few` of the spare channels. @param rest with vectors of that width. */
export async function addExpectations(
  { hash }: BltConfig,
  { width, content }: Layout,
  made: ReadonlyMap<string, Float32Array>,
  rest: Observations,
  few: number,
): Promise<Tensors> {
  const place: Place = (from, to, at) => {
    const stride = few + 1;
    for (let row = 0; row < from.length / stride; row++)
      to.set(from.subarray(row * stride, row * stride + few), (at + row) * width + content);
  };
  const into = { ofBytes: made.get(BYTE_EMBEDDINGS)!.slice(), ofGrams: made.get(HASH_EMBEDDINGS)!.slice() };
  return placed(await fitResidualBackoff({ texts: rest.texts, width: few, hash }), into, hash.vocab, place);
}

function placed(
  { bytes, tables }: ResidualBackoff,
  { ofBytes, ofGrams }: { ofBytes: Float32Array; ofGrams: Float32Array },
  rows: number,
  place: Place,
): Tensors {
  place(bytes, ofBytes, 0);
  tables.forEach((table, i) => {
    place(table, ofGrams, i * rows);
  });
  return new Map([
    [BYTE_EMBEDDINGS, ofBytes],
    [HASH_EMBEDDINGS, ofGrams],
  ]);
}
