/**
 * @module Byte and hash n-gram embeddings in closed form (docs/distillation.md): the sum of a byte's row and its n-grams' rows is the
 * mean of what was seen after those n bytes, with back-off. Each table, from short n-grams to long, holds the mean of what those before
 * it leave over, so the sum telescopes; colliding n-grams share a row and get their mean. No TensorFlow.
 */
import { type HashConfig, hashRows, VOCAB_SIZE } from '../../../blt/index.js';

/** A text, position by position. */
export interface ObservedText {
  /** Ids; n-grams look back no further than its beginning. */
  readonly ids: Int32Array;
  /** The vector seen at each position, a row of `vectors`; -1 where there is none. */
  readonly vector: Int32Array;
  /** [rows, width]; texts may share them. */
  readonly vectors: Float32Array;
  /** The number seen at each position; it has a channel of its own. NaN where there is none. */
  readonly scalar: Float32Array;
  /** What an observation counts. */
  readonly weight: number;
  /** Whether what comes before it is known: of a token by itself nothing is, and n-grams longer than it are left out. */
  readonly isWhole: boolean;
}

export interface ResidualBackoffOptions {
  /** A pass over all texts: there is one for single bytes and one for each table. */
  readonly texts: () => Iterable<ObservedText> | AsyncIterable<ObservedText>;
  readonly width: number;
  readonly hash: HashConfig;
}

export interface ResidualBackoff {
  /** [260, width + 1]: a byte's rows, the scalar last. */
  readonly bytes: Float32Array;
  /** Of each table in the order of the fused one: [vocab, width + 1]. */
  readonly tables: readonly Float32Array[];
}

/** Observations that a row's mean is drawn to zero by: a row seen once is trusted by two thirds. */
const SHRINKAGE = 0.5;

/** A level of the sum: single bytes, or one hash table. */
interface Level {
  readonly size: number;
  /** Index in the fused table; -1 for single bytes. */
  readonly table: number;
  readonly rows: number;
}

/** Fits all rows. Memory: the tables, one more, and a text. Time: texts x tables squared / 2 x width. */
export async function fitResidualBackoff({ texts, width, hash }: ResidualBackoffOptions): Promise<ResidualBackoff> {
  const levels: Level[] = [{ size: 1, table: -1, rows: VOCAB_SIZE }];
  for (let f = 0; f < hash.functions; f++)
    for (const [s, size] of hash.sizes.entries())
      levels.push({ size, table: f * hash.sizes.length + s, rows: hash.vocab });
  levels.sort((a, b) => a.size - b.size);
  const tables = hash.functions * hash.sizes.length;
  const stride = width + 1;
  const fitted: Float32Array[] = [];
  const residual = new Float64Array(width);

  for (const level of levels) {
    const values = new Float32Array(level.rows * stride);
    const vectorWeight = new Float32Array(level.rows);
    const scalarWeight = new Float32Array(level.rows);
    for await (const { ids, vector, vectors, scalar, weight, isWhole } of texts()) {
      const hashed = hashRows(ids, hash);
      const rowAt = (position: number, { table, rows }: Level) =>
        table < 0 ? ids[position]! : hashed[position * tables + table]! - table * rows;
      const reaches = (position: number, { size }: Level) => isWhole || position + 1 >= size;
      for (let position = 0; position < ids.length; position++) {
        if (!reaches(position, level)) continue;
        const [seen, number] = [vector[position]!, scalar[position]!];
        const at = rowAt(position, level) * stride;
        if (!Number.isNaN(number)) {
          let left = number;
          for (let l = 0; l < fitted.length; l++)
            if (reaches(position, levels[l]!)) left -= fitted[l]![rowAt(position, levels[l]!) * stride + width]!;
          values[at + width]! += weight * left;
          scalarWeight[at / stride]! += weight;
        }
        if (seen < 0) continue;
        const from = seen * width;
        for (let i = 0; i < width; i++) residual[i] = vectors[from + i]!;
        for (let l = 0; l < fitted.length; l++) {
          if (!reaches(position, levels[l]!)) continue;
          const table = fitted[l]!;
          const row = rowAt(position, levels[l]!) * stride;
          for (let i = 0; i < width; i++) residual[i]! -= table[row + i]!;
        }
        for (let i = 0; i < width; i++) values[at + i]! += weight * residual[i]!;
        vectorWeight[at / stride]! += weight;
      }
    }
    for (let row = 0; row < level.rows; row++) {
      const [ofVector, ofScalar] = [1 / (vectorWeight[row]! + SHRINKAGE), 1 / (scalarWeight[row]! + SHRINKAGE)];
      for (let i = 0; i < width; i++) values[row * stride + i]! *= ofVector;
      values[row * stride + width]! *= ofScalar;
    }
    fitted.push(values);
  }
  const byTable = new Map(levels.map(({ table }, i) => [table, fitted[i]!]));
  return { bytes: byTable.get(-1)!, tables: Array.from({ length: tables }, (_, table) => byTable.get(table)!) };
}
