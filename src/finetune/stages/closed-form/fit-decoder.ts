/**
 * @module The decoder's first layer and the head, fitted to the source's expectation of the next byte while self-attention is idle: the first
 * cross-attention adds a linear function of the source's state to the sum of the n-gram tables, feed-forward units read both, and the head
 * reads the next byte. A position then depends on no other, so that single positions are drawn at random and a step costs little.
 */

import { DECODER_FIT_EPOCHS } from '../../../blt/index.js';
import { createVariable, linear, swiglu, tf, type Variable, valuesOf } from '../../../engine/index.js';
import { byteEmbeddings, feedForward } from '../../../model/index.js';
import { prefixKl } from '../../losses/prefix-kl.js';
import {
  createParameterState,
  disposeParameterState,
  type ParameterGroup,
  type ParameterState,
} from '../../optimizers/adamw.js';
import { linearRate, openAdamWFit } from './adamw-fit.js';
import { collectExamples, type DecoderExamples, type ExampleOptions } from './decoder-examples.js';
import type { Tensors } from './encoder-tensors.js';
import { constantOf, type Layout } from './layout.js';
import { whitening } from './least-squares.js';
import type { NgramModel } from './ngram-model.js';
import { prefixGates } from './prefix-gates.js';
import { shuffledPositions } from './shuffled-positions.js';

/** Small steps: more of them teach more than less noisy ones, for the same number of operations. */
const STEP_POSITIONS = 512;
/** Short text is read until there were enough steps. */
const MIN_STEPS = 300;
const LEARNING_RATE = 1e-3;
const WARMUP_STEPS = 10;
const ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.01 } as const;
const GROUP: ParameterGroup = { learningRateScale: 1, decay: true, optimizer: 'adamw' };
/** What the head is multiplied by: AdamW's steps are of one size, and with this factor they suit logits. */
const LOGIT_SCALE = 4;
/** Deviation of a channel of the whitened values, relative to the root mean square of the bytes' doubled states. */
const VALUE_SHARE = 0.5;
/** Cross-attention doubles its residual input (docs/blt-format.md 1.6). */
const RESIDUAL = 2;
/** The deviation of a feed-forward unit's input, whose other factor is its gate. */
const UP_DEVIATION = 1;

const CROSS = 'model.local_decoder.cross_attn_layers.0';
const LAYER = 'model.local_decoder.layers.0';
const HEAD = 'lm_head.weight';

export interface DecoderFit extends Omit<ExampleOptions, 'params'> {
  readonly params: () => ExampleOptions['params'];
  /** Whose tables the spare channels hold, multiplied by `ngramScale`. */
  readonly ngrams: NgramModel;
  readonly ngramScale: number;
  /** Which parts are fitted: the linear read of the state alone, or feed-forward units as well, with random gates or gates by token prefix. */
  readonly decoder: 'linear' | 'feed-forward' | 'prefix-gates';
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** x divided by its root mean square. */
const normal = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.rsqrt(tf.mean(tf.square(x), -1, true)));

/** 1 for channels that the decoder may write, 0 for count and constant: a column [width, 1]. */
const writable = ({ width, count }: Layout): tf.Tensor =>
  tf.expandDims(tf.concat([tf.ones([count]), tf.zeros([width - count])]), 1);

/**
 * The mean loss of a batch. Matrices that write states are in units of the layout's scale.
 * @param fields byte states [n, width], values [n, width], expectations [n, 256].
 */
function lossOf(layout: Layout) {
  return (parameters: ReadonlyMap<string, tf.Tensor>, fields: readonly tf.Tensor[]): tf.Scalar => {
    const [bytes, values, expected] = fields as [tf.Tensor, tf.Tensor, tf.Tensor];
    const written = (name: string) => tf.mul(parameters.get(name)!, tf.mul(writable(layout), layout.scale));
    let x = tf.add(tf.mul(bytes, RESIDUAL), linear(values, written('output')));
    if (parameters.has('down')) {
      const y = normal(x);
      const units = swiglu(linear(y, parameters.get('gate')!), linear(y, parameters.get('up')!));
      x = tf.add(x, linear(units, written('down')));
    }
    const logits = tf.mul(linear(normal(x), parameters.get('head')!), LOGIT_SCALE);
    const count = expected.shape[0]!;
    return tf.div(prefixKl(logits, expected, tf.ones([count])), count) as tf.Scalar;
  };
}

/** The whitened values in the content channels [width, width], in units of the layout's scale. */
function initialOutput({ width, content }: Layout, covariance: Float64Array): tf.Tensor {
  return tf.tidy(() => {
    const rows = tf.tensor2d(whitening(covariance, width, content), [content, width]);
    const below = [width - content, 0] as const;
    return tf.mul(
      tf.pad(rows, [
        [0, below[0]],
        [0, 0],
      ]),
      VALUE_SHARE * RESIDUAL,
    );
  });
}

/** The mean of 1 / RMS of the decoder's states before its first feed-forward layer: nearly the same everywhere. */
function meanInverseRms({ scale }: Layout, output: tf.Tensor, bytes: tf.Tensor, values: tf.Tensor): number {
  return tf.tidy(() => {
    const x = tf.add(tf.mul(bytes, RESIDUAL), linear(values, tf.mul(output, scale)));
    return tf.mean(tf.rsqrt(tf.mean(tf.square(x), -1))).dataSync()[0]!;
  });
}

/** A matrix [rows, width] that reads the n-gram model's channels and the constant channel of a normed state as `weights` sum + `bias`. */
function readingNgrams(
  { weights, bias }: { readonly weights: Float32Array; readonly bias: Float32Array },
  layout: Layout,
  { ngramScale, inverseRms }: { readonly ngramScale: number; readonly inverseRms: number },
): tf.Tensor {
  const { width, content, spare, constant } = layout;
  const rows = bias.length;
  const matrix = new Float32Array(rows * width);
  const channels = weights.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < Math.min(spare, channels); i++)
      matrix[row * width + content + i] = weights[row * channels + i]! / (RESIDUAL * ngramScale * inverseRms);
    matrix[row * width + constant] = bias[row]! / (RESIDUAL * constantOf(layout) * inverseRms);
  }
  return tf.tensor2d(matrix, [rows, width]);
}

/** Reads the examples at some positions: byte states, values, expectations. The caller disposes them. */
function fieldsAt({ config, params }: DecoderFit, examples: DecoderExamples, positions: Int32Array): tf.Tensor[] {
  const { tables, ids, hashRows } = examples;
  const count = positions.length;
  const rows = new Int32Array(count * tables);
  positions.forEach((position, i) => {
    rows.set(hashRows.subarray(position * tables, (position + 1) * tables), i * tables);
  });
  return tf.tidy(() => {
    const batch = {
      ids: tf.tensor1d(
        Int32Array.from(positions, (position) => ids[position]!),
        'int32',
      ),
      hashRows: tf.tensor1d(rows, 'int32'),
    };
    // The encoder's states: its attention is idle, and only its first layer has feed-forward units.
    const embedded = byteEmbeddings(params(), config, batch);
    return [
      tf.add(embedded, feedForward(embedded, params(), 'model.local_encoder.layers.0', config.encoder)),
      tf.tensor2d(examples.valuesAt(positions), [count, config.decoder.hiddenSize]),
      tf.tensor2d(examples.expectationsAt(positions), [count, 256]),
    ];
  });
}

/** The parameters of the fit with their initial values. */
function openParameters(fit: DecoderFit, examples: DecoderExamples): ParameterState[] {
  const { config, layout, ngrams, ngramScale, decoder, seed } = fit;
  const { width } = layout;
  const units = config.decoder.intermediateSize;
  const parameters: ParameterState[] = [];
  const add = (name: string, tensor: tf.Tensor) => {
    const variable: Variable = createVariable(tensor);
    parameters.push(createParameterState(name, variable, GROUP));
  };
  tf.tidy(() => {
    const output = initialOutput(layout, examples.covariance);
    const first = Int32Array.from({ length: Math.min(examples.count, STEP_POSITIONS) }, (_, i) => i);
    const [bytes, values] = fieldsAt(fit, examples, first);
    const inverseRms = meanInverseRms(layout, output, bytes!, values!);
    const reading = { ngramScale, inverseRms };
    add('output', output);
    add('head', tf.div(readingNgrams(ngrams.next, layout, reading), LOGIT_SCALE));
    if (decoder === 'linear') return;
    const random = (deviation: number, offset: number) =>
      tf.randomNormal([units, width], 0, deviation * width ** -0.5, 'float32', seed + offset);
    add(
      'gate',
      decoder === 'prefix-gates'
        ? readingNgrams(prefixGates(ngrams, examples, units), layout, reading)
        : random(0.5, 0),
    );
    add('up', random(UP_DEVIATION, 1));
    add('down', tf.zeros([width, units]));
  });
  return parameters;
}

/** The fitted tensors by their names in the model. */
function fittedTensors(parameters: readonly ParameterState[], layout: Layout): Tensors {
  const values = new Map(parameters.map(({ name, value }) => [name, value]));
  const read = (name: string, scaled: (value: tf.Tensor) => tf.Tensor) =>
    valuesOf(() => scaled(values.get(name)!.read()));
  const written = (value: tf.Tensor) => tf.mul(value, tf.mul(writable(layout), layout.scale));
  const same = (value: tf.Tensor) => value;
  const tensors: Tensors = new Map([
    [`${CROSS}.o_proj.weight`, read('output', written)],
    [HEAD, read('head', (value) => tf.mul(value, LOGIT_SCALE))],
  ]);
  if (values.has('down')) {
    tensors.set(`${LAYER}.mlp.gate_proj.weight`, read('gate', same));
    tensors.set(`${LAYER}.mlp.up_proj.weight`, read('up', same));
    tensors.set(`${LAYER}.mlp.down_proj.weight`, read('down', written));
    tensors.set(`${LAYER}.post_attention_layernorm.weight`, new Float32Array(layout.width).fill(1));
  }
  return tensors;
}

/**
 * Fits the decoder. The engine must be started.
 * @returns its tensors, and the number of positions that the fit read. @throws the signal's reason when it is aborted.
 */
export async function fitDecoder(options: DecoderFit): Promise<{ tensors: Tensors; positions: number }> {
  const { layout, seed, signal, params } = options;
  const examples = await collectExamples({ ...options, params: params() });
  const parameters = openParameters(options, examples);
  const fit = openAdamWFit({ dense: parameters, adamw: ADAMW, loss: lossOf(layout) });
  const size = Math.min(STEP_POSITIONS, examples.count);
  const steps = Math.max(MIN_STEPS, Math.floor((DECODER_FIT_EPOCHS * examples.count) / size));
  const order = shuffledPositions(examples.count, seed);
  try {
    for (let step = 1; step <= steps; step++) {
      signal.throwIfAborted();
      const positions = Int32Array.from({ length: size }, () => order.next().value);
      const fields = fieldsAt(options, examples, positions);
      const learningRate = linearRate(LEARNING_RATE, { step, warmup: WARMUP_STEPS, progress: (step - 1) / steps });
      await fit.run(fields, { step, learningRate });
      tf.dispose(fields);
    }
    return { tensors: fittedTensors(parameters, layout), positions: steps * size };
  } finally {
    fit.dispose();
    parameters.forEach(disposeParameterState);
  }
}
