/**
 * @module An n-gram language model in the form of BLT's byte embeddings (docs/blt-format.md 1.3): the sum of the rows of a byte and of its hashed
 * n-grams, and two linear readouts of it. One predicts the next byte, the other how much of the source's token has been read. It is trained by
 * stochastic steps, one pass over text: a second pass memorises the text.
 */
import { type HashConfig, VOCAB_SIZE } from '../../../blt/index.js';
import { PACKER_START, type PackedRow, type StoredSplit } from '../../../data/index.js';
import {
  createVariable,
  crossEntropySum,
  gatherRows,
  linear,
  tf,
  valuesOfVariable,
  zeroVariable,
} from '../../../engine/index.js';
import type { TokensOf } from '../../../patching/index.js';
import { uniformOf } from '../../../random.js';
import { openRows } from '../../batches/row-source.js';
import { sparseRows } from '../../batches/sparse-rows.js';
import { createParameterState, disposeParameterState, type ParameterGroup } from '../../optimizers/adamw.js';
import { linearRate, openAdamWFit } from './adamw-fit.js';
import { orderMask, rowCount, rowsOfText, rowsPerPosition } from './ngram-rows.js';
import { countPrefixes, type PrefixClusters, prefixClusters, prefixesOf } from './prefix-clusters.js';

export interface NgramTraining {
  readonly data: StoredSplit;
  readonly hash: HashConfig;
  /** Channels of the sum. */
  readonly width: number;
  /** Text at the beginning of the packer's order that is left out: other parts of the model are fitted on it. */
  readonly skipBytes: number;
  /** Text to train on, at most the rest of one pass; 0 leaves all rows at zero. */
  readonly bytes: number;
  /** Positions per row. */
  readonly length: number;
  /** Tokenises text as the source does. */
  readonly tokensOf: TokensOf;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** A linear readout of the sum: logits = weights sum + bias. */
export interface Readout {
  /** [classes, width]. */
  readonly weights: Float32Array;
  /** [classes]. */
  readonly bias: Float32Array;
}

export interface NgramModel {
  readonly width: number;
  /** The rows of single bytes [260, width]. */
  readonly bytes: Float32Array;
  /** The rows of the fused hash table [tables * vocab, width]. */
  readonly tables: Float32Array;
  /** Predicts the next byte, of 260 ids. */
  readonly next: Readout;
  /** Predicts the class of the token's prefix. */
  readonly prefix: Readout;
  readonly clusters: PrefixClusters;
  /** Text that it was trained on. */
  readonly ngramBytes: number;
}

/** Positions per step at most; fewer where the text is too short for enough steps. */
const MAX_STEP_POSITIONS = 16_384;
const MIN_STEPS = 200;
/** Rows are read few times each, so the rate is high. */
const LEARNING_RATE = 0.02;
const WARMUP_STEPS = 20;
const ADAMW = { betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0 } as const;
const GROUP: ParameterGroup = { learningRateScale: 1, decay: false, optimizer: 'adamw' };
/** The share of positions at which the n-grams above a random size are left out, so that short ones learn to predict alone. */
const DROPPED_SHARE = 0.4;
/** The weight of predicting the prefix, beside predicting the next byte. */
const PREFIX_WEIGHT = 0.3;
/** Text in which prefixes are counted: the common ones are known soon. */
const COUNTED_BYTES = 500_000;

/** What a step reads. */
interface NgramBatch {
  /** Distinct rows of the table. */
  readonly indices: Int32Array;
  /** Positions among those [N * (1 + tables)]: a byte's own row first. */
  readonly positions: Int32Array;
  /** 1 where a row counts, 0 where it is dropped [N, 1 + tables]. */
  readonly mask: Float32Array;
  /** The next byte's id, and its weight [N]. */
  readonly targets: Int32Array;
  readonly weights: Float32Array;
  /** The class of the token's prefix, and its weight [N]. */
  readonly prefixes: Int32Array;
  readonly prefixWeights: Float32Array;
}

/** The rows that each position of a packed row reads, document by document. Padding reads the rows of padding. */
function rowsOf({ ids, documents }: PackedRow, hash: HashConfig): Int32Array {
  const rows = new Int32Array(ids.length * rowsPerPosition(hash));
  const end = documents.at(-1)?.end ?? 0;
  for (const { start, end: stop } of [...documents, { start: end, end: ids.length }])
    rows.set(rowsOfText(ids.subarray(start, stop), hash), start * rowsPerPosition(hash));
  return rows;
}

function joined<T extends Int32Array | Float32Array>(parts: readonly T[], into: T): T {
  let at = 0;
  for (const part of parts) {
    into.set(part, at);
    at += part.length;
  }
  return into;
}

/** @param uniform decides which n-grams are dropped. */
function batchOf(
  rows: readonly PackedRow[],
  { hash, tokensOf }: Pick<NgramTraining, 'hash' | 'tokensOf'>,
  clusters: PrefixClusters,
  uniform: () => number,
): NgramBatch {
  const read = rows.map((row) => rowsOf(row, hash));
  const { indices, positions } = sparseRows(read, rowCount(hash));
  const count = rows.reduce((sum, { ids }) => sum + ids.length, 0);
  const mask = orderMask(count, hash, { known: () => Number.POSITIVE_INFINITY, droppedShare: DROPPED_SHARE, uniform });
  const prefixes = rows.flatMap((row) => prefixesOf(row, tokensOf));
  const integers = () => new Int32Array(count);
  return {
    indices,
    positions: joined(positions, new Int32Array(mask.length)),
    mask,
    targets: joined(
      rows.map(({ targets }) => targets),
      integers(),
    ),
    weights: joined(
      rows.map(({ weights }) => weights),
      new Float32Array(count),
    ),
    prefixes: Int32Array.from(prefixes, (prefix) => (prefix === null ? 0 : clusters.of(prefix))),
    prefixWeights: Float32Array.from(prefixes, (prefix) => (prefix === null ? 0 : 1)),
  };
}

const NAMES = ['next', 'next bias', 'prefix', 'prefix bias'] as const;

/** The mean loss of a batch. @param fields positions [N * orders], mask [N, orders], then targets and weights [N] of both readouts. */
function lossOf(parameters: ReadonlyMap<string, tf.Tensor>, fields: readonly tf.Tensor[]): tf.Scalar {
  const [positions, mask, targets, weights, prefixes, prefixWeights] = fields as [
    ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
  ];
  const [next, nextBias, prefix, prefixBias] = NAMES.map((name) => parameters.get(name)!);
  const read = tf.reshape(gatherRows(parameters.get('table')!, positions), [...mask.shape, -1]);
  const sum = tf.sum(tf.mul(read, tf.expandDims(mask, 2)), 1);
  const ofBytes = crossEntropySum(tf.add(linear(sum, next!), nextBias!), targets, weights);
  const ofPrefixes = crossEntropySum(tf.add(linear(sum, prefix!), prefixBias!), prefixes, prefixWeights);
  return tf.div(tf.add(ofBytes, tf.mul(ofPrefixes, PREFIX_WEIGHT)), tf.sum(weights)) as tf.Scalar;
}

/** The parameters, and one step over them. */
function openModel(hash: HashConfig, width: number, clusters: PrefixClusters, seed: number) {
  const allRows = rowCount(hash);
  const state = (name: string, variable: ReturnType<typeof zeroVariable>) =>
    createParameterState(name, variable, GROUP);
  const random = (rows: number, offset: number) => {
    const values = tf.randomNormal([rows, width], 0, width ** -0.5, 'float32', seed + offset);
    const variable = createVariable(values);
    values.dispose();
    return variable;
  };
  // One row more, which nothing reads: padding of a step's rows is written there.
  const table = state('table', zeroVariable([allRows + 1, width]));
  const dense = [
    state('next', random(VOCAB_SIZE, 0)),
    state('next bias', zeroVariable([VOCAB_SIZE])),
    state('prefix', random(clusters.count, 1)),
    state('prefix bias', zeroVariable([clusters.count])),
  ];
  const fit = openAdamWFit({ dense, table, adamw: ADAMW, loss: lossOf });
  return {
    async step(batch: NgramBatch, step: number, learningRate: number): Promise<void> {
      const count = batch.targets.length;
      const fields = [
        tf.tensor1d(batch.positions, 'int32'),
        tf.tensor2d(batch.mask, [count, rowsPerPosition(hash)]),
        tf.tensor1d(batch.targets, 'int32'),
        tf.tensor1d(batch.weights),
        tf.tensor1d(batch.prefixes, 'int32'),
        tf.tensor1d(batch.prefixWeights),
      ];
      await fit.run(fields, { step, learningRate, rows: batch.indices });
      tf.dispose(fields);
    },
    values(): Omit<NgramModel, 'ngramBytes'> {
      const read = ({ value }: (typeof dense)[number]) => valuesOfVariable(value);
      const all = read(table);
      const [next, nextBias, prefix, prefixBias] = dense.map(read);
      return {
        width,
        bytes: all.slice(0, VOCAB_SIZE * width),
        tables: all.slice(VOCAB_SIZE * width, allRows * width),
        next: { weights: next!, bias: nextBias! },
        prefix: { weights: prefix!, bias: prefixBias! },
        clusters,
      };
    },
    dispose() {
      fit.dispose();
      for (const parameter of [table, ...dense]) disposeParameterState(parameter);
    },
  };
}

const bytesOf = (rows: readonly PackedRow[]) => rows.reduce((sum, { byteCount }) => sum + byteCount, 0);

/** Trains the model. The engine must be started. @throws the signal's reason when it is aborted. */
export async function trainNgramModel(training: NgramTraining): Promise<NgramModel> {
  const { data, hash, width, skipBytes, bytes, length, tokensOf, seed, signal } = training;
  const source = {
    kind: 'packed',
    files: data.files,
    domains: data.domains,
    rowBytes: length,
    seed,
    state: PACKER_START,
    repeat: true,
  } as const;
  const rows = await openRows(source);
  let model: ReturnType<typeof openModel> | null = null;
  try {
    for (let skipped = 0; skipped < skipBytes; ) skipped += bytesOf(await rows.next(1));
    const wanted = Math.max(0, Math.min(bytes, data.byteCount - skipBytes));
    const first: PackedRow[] = [];
    while (bytesOf(first) < Math.min(COUNTED_BYTES, wanted)) first.push(...(await rows.next(1)));
    const clusters = prefixClusters(countPrefixes(first.flatMap((row) => prefixesOf(row, tokensOf))));
    model = openModel(hash, width, clusters, seed);
    const uniform = uniformOf(`n-grams dropped ${seed}`);
    const positions = Math.max(1, Math.floor(Math.min(MAX_STEP_POSITIONS, wanted / MIN_STEPS) / length));
    const next = async () => (first.length > 0 ? first.splice(0, positions) : await rows.next(positions));
    let done = 0;
    for (let step = 1; done < wanted; step++) {
      signal.throwIfAborted();
      const some = await next();
      const learningRate = linearRate(LEARNING_RATE, { step, warmup: WARMUP_STEPS, progress: done / wanted });
      await model.step(batchOf(some, training, clusters, uniform), step, learningRate);
      done += bytesOf(some);
    }
    return { ...model.values(), ngramBytes: done };
  } finally {
    model?.dispose();
    await rows.close();
  }
}
