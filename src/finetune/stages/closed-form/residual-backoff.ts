/**
 * @module Fits byte embeddings and hash n-gram tables in closed form (docs/distillation.md): the sum of the rows of a byte and its n-grams is the
 * mean of the vectors observed after those bytes, with back-off to shorter n-grams. The tables are fitted from short n-grams to long; each
 * row is the mean of the residuals that the earlier tables leave. Colliding n-grams share a row and get their common mean. No TensorFlow.
 */
import { type HashConfig, hashRows, hashTables, VOCAB_SIZE } from '../../../blt/index.js';

/** A text with an observation at each position. */
export interface ObservedText {
  /** Byte ids [positions]. N-grams do not look back beyond the first. */
  readonly ids: Int32Array;
  /** The row of `vectors` observed at each position, or -1. */
  readonly vector: Int32Array;
  /** [rows, width]. Texts may share them. */
  readonly vectors: Float32Array;
  /** A number observed at each position, or NaN. It is fitted in a channel of its own. */
  readonly scalar: Float32Array;
  /** The weight of each observation. */
  readonly weight: number;
  /** Whether the text's beginning is a document's beginning. A vocabulary entry has unknown bytes before it, so longer n-grams are skipped. */
  readonly isWhole: boolean;
}

export interface ResidualBackoffOptions {
  /** Reads all texts once. It is called once for single bytes and once per table. */
  readonly texts: () => Iterable<ObservedText> | AsyncIterable<ObservedText>;
  /** The width of the vectors. */
  readonly width: number;
  readonly hash: HashConfig;
  /** The width of a row. The vectors are fitted in its first channels; those that nothing is fitted in are zero. */
  readonly rowWidth: number;
  /** The channel of the scalar. */
  readonly scalarChannel: number;
}

export interface ResidualBackoff {
  /** [260, rowWidth]: a row per byte id. */
  readonly bytes: Float32Array;
  /** The fused hash table [tables * vocab, rowWidth]. */
  readonly ngrams: Float32Array;
}

/** Shrinks a row's mean towards zero, like this many observations of zero: a row seen once gets two thirds of its value. */
const SHRINKAGE = 0.5;

/** One term of the sum: single bytes, or one hash table. */
interface Level {
  readonly size: number;
  /** The table's index in the fused hash table; -1 for single bytes. */
  readonly table: number;
  readonly rows: number;
}

/** Fits all tables. Memory: the tables and one text. Time: positions x tables^2 / 2 x width. */
export async function fitResidualBackoff(options: ResidualBackoffOptions): Promise<ResidualBackoff> {
  const { texts, width, hash, rowWidth, scalarChannel } = options;
  const levels: Level[] = [{ size: 1, table: -1, rows: VOCAB_SIZE }];
  for (let f = 0; f < hash.functions; f++)
    for (const [s, size] of hash.sizes.entries())
      levels.push({ size, table: f * hash.sizes.length + s, rows: hash.vocab });
  levels.sort((a, b) => a.size - b.size);
  const tables = hashTables(hash);
  const bytes = new Float32Array(VOCAB_SIZE * rowWidth);
  const ngrams = new Float32Array(tables * hash.vocab * rowWidth);
  /** The part of a level, which is zero until it is fitted. */
  const partOf = ({ table, rows }: Level) =>
    table < 0 ? bytes : ngrams.subarray(table * rows * rowWidth, (table + 1) * rows * rowWidth);
  const fitted: Float32Array[] = [];
  const residual = new Float64Array(width);

  for (const level of levels) {
    const values = partOf(level);
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
        const at = rowAt(position, level) * rowWidth;
        if (!Number.isNaN(number)) {
          let left = number;
          for (let l = 0; l < fitted.length; l++)
            if (reaches(position, levels[l]!))
              left -= fitted[l]![rowAt(position, levels[l]!) * rowWidth + scalarChannel]!;
          values[at + scalarChannel]! += weight * left;
          scalarWeight[at / rowWidth]! += weight;
        }
        if (seen < 0) continue;
        const from = seen * width;
        for (let i = 0; i < width; i++) residual[i] = vectors[from + i]!;
        for (let l = 0; l < fitted.length; l++) {
          if (!reaches(position, levels[l]!)) continue;
          const table = fitted[l]!;
          const row = rowAt(position, levels[l]!) * rowWidth;
          for (let i = 0; i < width; i++) residual[i]! -= table[row + i]!;
        }
        for (let i = 0; i < width; i++) values[at + i]! += weight * residual[i]!;
        vectorWeight[at / rowWidth]! += weight;
      }
    }
    for (let row = 0; row < level.rows; row++) {
      const [ofVector, ofScalar] = [1 / (vectorWeight[row]! + SHRINKAGE), 1 / (scalarWeight[row]! + SHRINKAGE)];
      for (let i = 0; i < width; i++) values[row * rowWidth + i]! *= ofVector;
      values[row * rowWidth + scalarChannel]! *= ofScalar;
    }
    fitted.push(values);
  }
  return { bytes, ngrams };
}
