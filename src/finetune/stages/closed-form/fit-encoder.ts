/**
 * @module The encoder's n-gram tables and first feed-forward units, fitted by stochastic steps so that the state of a patch's last byte is the
 * embedding of its token. Self-attention is idle, so that single positions are drawn at random, and only ends of patches cost anything.
 */
import { type BltConfig, ENCODER_FIT_EPOCHS, VOCAB_SIZE } from '../../../blt/index.js';
import {
  createVariable,
  gatherRows,
  linear,
  swiglu,
  tf,
  valuesOfVariable,
  zeroVariable,
} from '../../../engine/index.js';
import { uniformOf } from '../../../random.js';
import { sparseRows } from '../../batches/sparse-rows.js';
import { createParameterState, disposeParameterState, type ParameterState } from '../../optimizers/adamw.js';
import { linearRate, openAdamWFit } from './adamw-fit.js';
import type { Tensors } from './encoder-tensors.js';
import { BYTE_EMBEDDINGS, HASH_EMBEDDINGS } from './fit-tables.js';
import { balancedNorm, contentRms, type Layout } from './layout.js';
import { orderMask, rowCount, rowsPerPosition } from './ngram-rows.js';
import type { Observations } from './observations.js';
import { collectEnds } from './patch-ends.js';
import { shuffledPositions } from './shuffled-positions.js';

const STEP_POSITIONS = 512;
/** Short text is read until there were enough steps. */
const MIN_STEPS = 100;
/** Rows are read few times each, so their rate is high. */
const TABLE_RATE = 0.02;
const UNIT_RATE = 1e-3;
const WARMUP_STEPS = 10;
const DROPPED_SHARE = 0.3;
const ADAMW = { betas: [0.9, 0.98], epsilon: 1e-8, weightDecay: 0 } as const;
const GROUP = { decay: false, optimizer: 'adamw' } as const;
const GATE_DEVIATION = 0.5;
const LAYER = 'model.local_encoder.layers.0.mlp';

export interface EncoderFit {
  readonly config: BltConfig;
  readonly layout: Layout;
  /** Tokens at the ends of patches and alone, with vectors of `contentVectors`. */
  readonly seen: Observations;
  /** The tables of bytes [260, width] and n-grams [rows, width], whose content channels are fitted. */
  readonly tables: { readonly bytes: Float32Array; readonly ngrams: Float32Array };
  /** Whether feed-forward units are fitted as well. */
  readonly feedForward: boolean;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Rows of `width` values, gathered. */
function rowsAt(from: Float32Array, rows: ArrayLike<number>, width: number): Float32Array {
  const read = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) read.set(from.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  return read;
}

/** The sum of the channels that are not fitted, at some ends [n, width - content]. */
function otherChannels({ tables, layout, config }: EncoderFit, rows: Int32Array): Float32Array {
  const { width, content } = layout;
  const stride = rowsPerPosition(config.hash);
  const others = width - content;
  const sums = new Float32Array((rows.length / stride) * others);
  rows.forEach((row, i) => {
    const isByte = row < VOCAB_SIZE;
    const from = isByte ? tables.bytes : tables.ngrams;
    const start = (isByte ? row : row - VOCAB_SIZE) * width + content;
    const to = Math.floor(i / stride) * others;
    for (let channel = 0; channel < others; channel++) sums[to + channel]! += from[start + channel]!;
  });
  return sums;
}

/**
 * The mean squared error of a batch, in units of the content's root mean square.
 * @param fields positions among the rows [n * stride], mask [n, stride], the other channels [n, width - content], wanted [n, content],
 * weights [n].
 */
function lossOf(layout: Layout) {
  const { content } = layout;
  const rms = contentRms(layout);
  return (parameters: ReadonlyMap<string, tf.Tensor>, fields: readonly tf.Tensor[]): tf.Scalar => {
    const [positions, mask, others, wanted, weights] = fields as [
      ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
    ];
    const read = tf.reshape(gatherRows(parameters.get('table')!, positions), [...mask.shape, content]);
    let found = tf.sum(tf.mul(read, tf.expandDims(mask, 2)), 1);
    if (parameters.has('down')) {
      const state = tf.concat([tf.mul(found, rms), others], 1);
      const inverse = tf.rsqrt(tf.mean(tf.square(state), -1, true));
      const y = tf.mul(tf.mul(state, inverse), tf.tensor1d(balancedNorm(layout)));
      const units = swiglu(linear(y, parameters.get('gate')!), linear(y, parameters.get('up')!));
      found = tf.add(found, linear(units, parameters.get('down')!));
    }
    const errors = tf.mean(tf.squaredDifference(found, wanted), 1);
    return tf.div(tf.sum(tf.mul(errors, weights)), tf.sum(weights)) as tf.Scalar;
  };
}

function openParameters({ config, layout, feedForward, seed }: EncoderFit) {
  const { width, content } = layout;
  // One row more, which nothing reads: padding of a step's rows is written there.
  const rows = zeroVariable([rowCount(config.hash) + 1, content]);
  const table = createParameterState('table', rows, { ...GROUP, learningRateScale: TABLE_RATE / UNIT_RATE });
  const dense: ParameterState[] = [];
  if (feedForward) {
    const units = config.encoder.intermediateSize;
    const add = (name: string, values: tf.Tensor) => {
      dense.push(createParameterState(name, createVariable(values), { ...GROUP, learningRateScale: 1 }));
    };
    tf.tidy(() => {
      const random = (deviation: number, offset: number) =>
        tf.randomNormal([units, width], 0, deviation * width ** -0.5, 'float32', seed + offset);
      add('gate', random(GATE_DEVIATION, 10));
      add('up', random(1, 11));
      add('down', tf.zeros([content, units]));
    });
  }
  return { table, dense };
}

/** The tensors with their fitted values. */
function fittedTensors(
  { layout, tables }: EncoderFit,
  table: ParameterState,
  dense: readonly ParameterState[],
): Tensors {
  const { width, content } = layout;
  const rms = contentRms(layout);
  const read = ({ value }: ParameterState) => valuesOfVariable(value);
  const rows = read(table);
  const withContent = (into: Float32Array, first: number): Float32Array => {
    const values = into.slice();
    for (let row = 0; row < values.length / width; row++)
      for (let i = 0; i < content; i++) values[row * width + i] = rms * rows[(first + row) * content + i]!;
    return values;
  };
  const tensors: Tensors = new Map([
    [BYTE_EMBEDDINGS, withContent(tables.bytes, 0)],
    [HASH_EMBEDDINGS, withContent(tables.ngrams, VOCAB_SIZE)],
  ]);
  const [gate, up, down] = dense.map(read);
  if (down !== undefined) {
    tensors.set(`${LAYER}.gate_proj.weight`, gate!);
    tensors.set(`${LAYER}.up_proj.weight`, up!);
    const written = new Float32Array((down.length / content) * width);
    written.set(down.map((value) => value * rms));
    tensors.set(`${LAYER}.down_proj.weight`, written);
  }
  return tensors;
}

/** Fits the encoder. The engine must be started. @returns its tensors, and the number of positions that were read. */
export async function fitEncoder(options: EncoderFit): Promise<{ tensors: Tensors; positions: number }> {
  const { config, layout, seen, seed, signal } = options;
  const { hash } = config;
  const { content } = layout;
  const ends = await collectEnds(seen, hash);
  const { table, dense } = openParameters(options);
  const fit = openAdamWFit({ dense, table, adamw: ADAMW, loss: lossOf(layout) });
  const stride = rowsPerPosition(hash);
  const size = Math.min(STEP_POSITIONS, ends.count);
  const steps = Math.max(MIN_STEPS, Math.floor((ENCODER_FIT_EPOCHS * ends.count) / size));
  const order = shuffledPositions(ends.count, seed);
  const uniform = uniformOf(`encoder orders ${seed}`);
  const rms = contentRms(layout);
  try {
    for (let step = 1; step <= steps; step++) {
      signal.throwIfAborted();
      const chosen = Int32Array.from({ length: size }, () => order.next().value);
      const rows = new Int32Array(size * stride);
      chosen.forEach((end, i) => {
        rows.set(ends.rows.subarray(end * stride, (end + 1) * stride), i * stride);
      });
      const { indices, positions } = sparseRows([rows], rowCount(hash));
      const known = (i: number) => ends.known[chosen[i]!]!;
      const wanted = rowsAt(
        ends.vectors,
        Array.from(chosen, (end) => ends.vector[end]!),
        content,
      );
      const fields = [
        tf.tensor1d(positions[0]!, 'int32'),
        tf.tensor2d(orderMask(size, hash, { known, droppedShare: DROPPED_SHARE, uniform }), [size, stride]),
        tf.tensor2d(otherChannels(options, rows), [size, layout.width - content]),
        tf.tensor2d(
          wanted.map((value) => value / rms),
          [size, content],
        ),
        tf.tensor1d(Float32Array.from(chosen, (end) => ends.weight[end]!)),
      ];
      const learningRate = linearRate(UNIT_RATE, { step, warmup: WARMUP_STEPS, progress: (step - 1) / steps });
      await fit.run(fields, { step, learningRate, rows: indices });
      tf.dispose(fields);
    }
    return { tensors: fittedTensors(options, table, dense), positions: steps * size };
  } finally {
    fit.dispose();
    for (const parameter of [table, ...dense]) disposeParameterState(parameter);
  }
}
