/**
 * @module A language model of hashed n-grams, for the decoder's start (docs/distillation.md): the rows of a byte and of the n-grams that end
 * there add up to a vector, and one matrix reads the next byte from it. Trained by stochastic steps, one pass over text: a second pass
 * memorises the text. The sum has the form of BLT's own byte embeddings (docs/blt-format.md 1.3), so that its tables can become theirs.
 */
import { type HashConfig, hashRows, hashTables, VOCAB_SIZE } from '../../../blt/index.js';
import { PACKER_START, type PackedRow, type StoredSplit } from '../../../data/index.js';
import {
  createVariable,
  crossEntropySum,
  gatherRows,
  graphOrEager,
  linear,
  retracedFunction,
  tf,
  zeroVariable,
} from '../../../engine/index.js';
import { uniformOf } from '../../../random.js';
import { openRows } from '../../batches/row-source.js';
import { sparseRows } from '../../batches/sparse-rows.js';
import { lossAndGradients } from '../../loop/gradients.js';
import { callGrouped } from '../../loop/grouped-call.js';
import {
  corrections,
  createParameterState,
  disposeParameterState,
  type ParameterGroup,
  type StepScalars,
  updatedRows,
  updateParameter,
} from '../../optimizers/adamw.js';

export interface NgramTraining {
  readonly data: StoredSplit;
  readonly hash: HashConfig;
  /** Channels of the sum. */
  readonly width: number;
  /** Text at the beginning of the packer's order that is left out: other parts of the start are fitted on it. */
  readonly skipBytes: number;
  /** Text to train on, at most the rest of one pass. */
  readonly bytes: number;
  /** Positions per row. */
  readonly length: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

export interface NgramModel {
  /** The rows of single bytes [260, width]. */
  readonly bytes: Float32Array;
  /** The rows of the fused hash table [tables * vocab, width]. */
  readonly tables: Float32Array;
  /** Reads the logits of the next byte from the sum [260, width]. */
  readonly head: Float32Array;
  /** Added to the logits [260]. */
  readonly bias: Float32Array;
  /** Text that was trained on. */
  readonly byteCount: number;
}

/** Positions per step at most; fewer where the text is too short for enough steps. */
const MAX_STEP_POSITIONS = 16_384;
const MIN_STEPS = 200;
/** The rate falls to zero over the pass. Rows are read few times each, so it is high. */
const LEARNING_RATE = 0.02;
const WARMUP_STEPS = 20;
const ADAMW = { betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0 } as const;
const GROUP: ParameterGroup = { learningRateScale: 1, decay: false, optimizer: 'adamw' };
/** The share of positions at which the n-grams above a random size are left out, so that short ones learn to predict alone. */
const DROPPED_SHARE = 0.4;

/** What a step reads of some rows. */
interface NgramBatch {
  /** Distinct rows of the table. */
  readonly indices: Int32Array;
  /** Positions among those [N * (1 + tables)]: a byte's own row first. */
  readonly positions: Int32Array;
  /** 1 where a row counts, 0 where it is dropped [N, 1 + tables]. */
  readonly mask: Float32Array;
  readonly targets: Int32Array;
  readonly weights: Float32Array;
}

/** The rows of the table that each position reads, document by document: [N * (1 + tables)]. Padding reads the rows of padding. */
function rowsOf({ ids, documents }: PackedRow, hash: HashConfig): Int32Array {
  const tables = hashTables(hash);
  const stride = 1 + tables;
  const rows = new Int32Array(ids.length * stride);
  const place = (hashed: Int32Array, start: number) => {
    for (let i = 0; i < hashed.length; i++)
      rows[(start + Math.floor(i / tables)) * stride + 1 + (i % tables)] = VOCAB_SIZE + hashed[i]!;
  };
  ids.forEach((id, position) => {
    rows[position * stride] = id;
  });
  const end = documents.at(-1)?.end ?? 0;
  for (const document of [...documents, { start: end, end: ids.length }])
    place(hashRows(ids.subarray(document.start, document.end), hash), document.start);
  return rows;
}

/** @param uniform decides which n-grams are dropped. */
function batchOf(rows: readonly PackedRow[], hash: HashConfig, uniform: () => number): NgramBatch {
  const read = rows.map((row) => rowsOf(row, hash));
  const { indices, positions } = sparseRows(read, VOCAB_SIZE + hashTables(hash) * hash.vocab);
  const count = rows.reduce((sum, { ids }) => sum + ids.length, 0);
  const sizes = [1, ...Array.from({ length: hash.functions }, () => hash.sizes).flat()];
  const droppable = hash.sizes.length;
  const ascending = [...hash.sizes].sort((a, b) => a - b);
  const mask = new Float32Array(count * sizes.length).fill(1);
  for (let position = 0; position < count; position++) {
    if (uniform() >= DROPPED_SHARE) continue;
    const largest = ascending[Math.floor(uniform() * droppable) - 1] ?? 1;
    for (const [i, size] of sizes.entries()) if (size > largest) mask[position * sizes.length + i] = 0;
  }
  const joined = <T extends Int32Array | Float32Array>(parts: readonly T[], into: T): T => {
    let at = 0;
    for (const part of parts) {
      into.set(part, at);
      at += part.length;
    }
    return into;
  };
  return {
    indices,
    positions: joined(positions, new Int32Array(mask.length)),
    mask,
    targets: joined(
      rows.map(({ targets }) => targets),
      new Int32Array(count),
    ),
    weights: joined(
      rows.map(({ weights }) => weights),
      new Float32Array(count),
    ),
  };
}

/** The logits of the next byte [N, 260]. @param rows read by the batch [U, width]. @param positions [N * orders]. @param mask [N, orders]. */
function logitsOf(
  { rows, head, bias }: { rows: tf.Tensor; head: tf.Tensor; bias: tf.Tensor },
  positions: tf.Tensor,
  mask: tf.Tensor,
): tf.Tensor {
  const [count, orders] = mask.shape as [number, number];
  const read = tf.reshape(gatherRows(rows, positions), [count, orders, -1]);
  return tf.add(linear(tf.sum(tf.mul(read, tf.expandDims(mask, 2)), 1), head), bias);
}

/** The parameters and one compiled step over them. */
function openModel(hash: HashConfig, width: number, seed: number) {
  const rowCount = VOCAB_SIZE + hashTables(hash) * hash.vocab;
  const random = tf.randomNormal([VOCAB_SIZE, width], 0, width ** -0.5, 'float32', seed);
  // One row more, which nothing reads: padding of a step's rows is written there.
  const table = createParameterState('table', zeroVariable([rowCount + 1, width]), GROUP);
  const head = createParameterState('head', createVariable(random), GROUP);
  const bias = createParameterState('bias', zeroVariable([VOCAB_SIZE]), GROUP);
  random.dispose();
  const tableVariables = [table.value, table.first, table.second!] as const;
  const fn = retracedFunction(graphOrEager());
  return {
    async step(batch: NgramBatch, step: number, learningRate: number): Promise<void> {
      const [first, second] = corrections(step, ADAMW.betas);
      const weight = batch.weights.reduce((sum, value) => sum + value, 0);
      const orders = 1 + hashTables(hash);
      const indices = tf.tensor1d(batch.indices, 'int32');
      const groups = {
        scalars: [learningRate, first, second, 1, 1 / weight].map((value) => tf.scalar(value)),
        rows: tableVariables.map((variable) => variable.gatherRows(indices)),
        fields: [
          tf.tensor1d(batch.positions, 'int32'),
          tf.tensor2d(batch.mask, [batch.targets.length, orders]),
          tf.tensor1d(batch.targets, 'int32'),
          tf.tensor1d(batch.weights),
        ],
      };
      const next = await callGrouped(fn, groups, ({ scalars, rows, fields }) => {
        const [rate, firstCorrection, secondCorrection, gradientScale, inverseWeight] = scalars as [
          ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
        ];
        const [positions, mask, targets, weights] = fields as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const moved = new Map([
          ['head', head.value.read()],
          ['bias', bias.value.read()],
          ['rows', rows[0]!],
        ]);
        const { loss, gradients } = lossAndGradients(moved, (now) => {
          const [h, b, r] = [...now.values()] as [tf.Tensor, tf.Tensor, tf.Tensor];
          const logits = logitsOf({ rows: r, head: h, bias: b }, positions, mask);
          return tf.mul(crossEntropySum(logits, targets, weights), inverseWeight) as tf.Scalar;
        });
        loss.dispose();
        const at: StepScalars = { learningRate: rate, firstCorrection, secondCorrection, gradientScale };
        updateParameter(head, gradients[0]!, at, ADAMW);
        updateParameter(bias, gradients[1]!, at, ADAMW);
        return updatedRows(GROUP, [rows[0]!, rows[1]!, rows[2]!], gradients[2]!, at, ADAMW);
      });
      tableVariables.forEach((variable, i) => {
        variable.scatterRows(indices, next[i]!);
      });
      tf.dispose([indices, ...Object.values(groups).flat(), ...next]);
    },
    values() {
      const read = (variable: typeof head.value) => tf.tidy(() => variable.read().dataSync() as Float32Array);
      const all = read(table.value);
      return {
        bytes: all.slice(0, VOCAB_SIZE * width),
        tables: all.slice(VOCAB_SIZE * width, rowCount * width),
        head: read(head.value),
        bias: read(bias.value),
      };
    },
    dispose() {
      fn.dispose();
      for (const parameter of [table, head, bias]) disposeParameterState(parameter);
    },
  };
}

/** Trains the model, one pass. The engine must be started. @throws the signal's reason when it is aborted. */
export async function trainNgramModel(training: NgramTraining): Promise<NgramModel> {
  const { data, hash, width, skipBytes, bytes, length, seed, signal } = training;
  const source = {
    kind: 'packed',
    files: data.files,
    rowBytes: length,
    seed,
    state: PACKER_START,
    repeat: true,
  } as const;
  const rows = await openRows(source);
  const model = openModel(hash, width, seed);
  const uniform = uniformOf(`n-grams dropped ${seed}`);
  const bytesOf = (some: readonly PackedRow[]) => some.reduce((sum, { byteCount }) => sum + byteCount, 0);
  try {
    for (let skipped = 0; skipped < skipBytes; ) skipped += bytesOf(await rows.next(1));
    const wanted = Math.min(bytes, data.byteCount - skipBytes);
    const rowsPerStep = Math.max(1, Math.floor(Math.min(MAX_STEP_POSITIONS, wanted / MIN_STEPS) / length));
    let [step, done] = [0, 0];
    while (done < wanted) {
      signal.throwIfAborted();
      const some = await rows.next(rowsPerStep);
      step++;
      const rate = LEARNING_RATE * Math.min(1, step / WARMUP_STEPS) * (1 - done / wanted);
      await model.step(batchOf(some, hash, uniform), step, rate);
      done += bytesOf(some);
    }
    return { ...model.values(), byteCount: done };
  } finally {
    model.dispose();
    await rows.close();
  }
}
