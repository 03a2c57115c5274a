/**
 * @module The decoder's readout for the start: the first cross-attention adds a linear function of the source's normed state to what the n-gram
 * tables say, and the head reads the next byte from both. Both matrices are trained by stochastic steps towards the byte distribution that the
 * source expects, on text that the tables have not seen. The decoder's blocks are idle, so a step computes neither attention nor feed-forward.
 */
import { type BltConfig, VOCAB_SIZE } from '../../../blt/index.js';
import {
  createVariable,
  gatherRows,
  graphOrEager,
  linear,
  retracedFunction,
  rmsNorm,
  tf,
} from '../../../engine/index.js';
import { openScratchFile } from '../../../fs/index.js';
import {
  batchTensors,
  byteEmbeddings,
  type Params,
  param,
  prefixMarginals,
  sourceHead,
  sourceNorm,
  type TensorBatch,
} from '../../../model/index.js';
import type { Arrays, PartialBatch } from '../../../patching/index.js';
import { fromFloat32, toFloat32 } from '../../../safetensors/index.js';
import type { StepBatch } from '../../batches/step-batch.js';
import { lossAndGradients } from '../../loop/gradients.js';
import { callGrouped } from '../../loop/grouped-call.js';
import { prefixKl } from '../../losses/prefix-kl.js';
import {
  corrections,
  createParameterState,
  disposeParameterState,
  type ParameterGroup,
  type StepScalars,
  updateParameter,
} from '../../optimizers/adamw.js';
import type { Tensors } from './encoder-tensors.js';
import { constantOf, type Layout } from './layout.js';
import { whitening } from './least-squares.js';
import type { NgramModel } from './ngram-model.js';
import type { ScratchModel } from './scratch-model.js';

/** Passes over the text: the source's states are cached, so that further passes cost little. Short text is read until there were enough steps. */
const MIN_EPOCHS = 4;
const MIN_STEPS = 150;
/** The rate falls linearly to zero. */
const LEARNING_RATE = 3e-3;
const WARMUP_STEPS = 10;
const ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.01 } as const;
const GROUP: ParameterGroup = { learningRateScale: 1, decay: true, optimizer: 'adamw' };
/** What the head is multiplied by: AdamW's steps are of one size, and this one suits logits. */
const LOGIT_SCALE = 4;
const BYTE_VALUES = 256;
/** Deviation of the whitened values in a channel, of the root mean square of the bytes' doubled state. */
const VALUE_SHARE = 0.5;

/** Fields of a batch that the readout needs. */
const FIELDS = [
  ...(['ids', 'documents', 'hashRows', 'decoderPatch'] as const),
  ...(['sourceStates', 'patchState', 'targetState', 'targetBounds', 'targetWeight'] as const),
] as const;
type ReadoutBatch = TensorBatch<(typeof FIELDS)[number]>;

/** What is fixed while the readout is trained. */
interface Fixed {
  readonly config: BltConfig;
  readonly params: Params;
  readonly source: Params;
}

/** The first cross-attention's values of each patch: the mean over its rows [patches, width]. */
function valuesOf({ config, params }: Fixed, { sourceStates, patchState }: ReadoutBatch): tf.Tensor {
  const { decoder, crossAttnK: slots } = config;
  const states = gatherRows(sourceStates, patchState);
  const projected = linear(states, param(params, 'model.local_decoder.patch_embedding_projection.weight'));
  const rows = tf.reshape(projected, [-1, decoder.hiddenSize]);
  const norm = param(params, 'model.local_decoder.cross_attn_layers.0.k_norm.weight');
  return tf.mean(tf.reshape(rmsNorm(rows, norm, decoder.rmsNormEps), [-1, slots, decoder.hiddenSize]), 1);
}

/** What the source expects of each next byte, kept on disk: its head runs once per position. */
function keptExpectations(fixed: Fixed, path: string) {
  const file = openScratchFile(path);
  const offsets: number[] = [];
  return {
    /** [N, 256] of the batch of this index. */
    async of(index: number, batch: ReadoutBatch): Promise<tf.Tensor> {
      const count = batch.targetWeight.size;
      if (index === offsets.length) {
        const made = tf.tidy(() => {
          const normed = rmsNorm(batch.sourceStates, sourceNorm(fixed.source), fixed.config.global.rmsNormEps);
          const logits = linear(normed, sourceHead(fixed.source));
          return prefixMarginals(logits, batch.targetState, batch.targetBounds).dataSync() as Float32Array;
        });
        offsets.push(await file.append(fromFloat32(made, 'F16')));
      }
      const bytes = new Uint8Array(count * BYTE_VALUES * 2);
      await file.read(offsets[index]!, bytes);
      return tf.tensor(toFloat32(bytes, 'F16'), [count, BYTE_VALUES]);
    },
    close: () => file.close(),
  };
}

/** One group of tensors that a step reads: x0 [N, width], values [P, width], decoderPatch [N], expected [N, 256], weights [N]. */
type StepInputs = readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

/** Normed states of the decoder [N, width] whose blocks are idle: later cross-attentions only double the residual, which the norm undoes. */
function readStates(x0: tf.Tensor, values: tf.Tensor, decoderPatch: tf.Tensor, output: tf.Tensor): tf.Tensor {
  const added = gatherRows(linear(values, output), decoderPatch);
  const x = tf.add(tf.mul(x0, 2), added);
  return tf.mul(x, tf.rsqrt(tf.mean(tf.square(x), -1, true)));
}

export interface ReadoutOptions {
  readonly config: BltConfig;
  readonly layout: Layout;
  readonly scratchModel: ScratchModel;
  readonly source: Params;
  /** Whose tables the spare channels hold, multiplied by `ngramScale`. */
  readonly ngrams: NgramModel;
  readonly ngramScale: number;
  /** The batches, in the same order each time, with states and byte targets. */
  readonly batches: () => AsyncIterable<StepBatch>;
  /** Where the source's expectations are kept meanwhile. */
  readonly path: string;
}

/** @returns the output matrix of the first cross-attention, and the head. */
export async function fitReadout(options: ReadoutOptions): Promise<Tensors> {
  const { config, layout, scratchModel, source, ngrams, ngramScale, batches, path } = options;
  const { width, content, spare, count, constant, scale } = layout;
  const fixed: Fixed = { config, params: scratchModel.params(), source };
  const expectations = keptExpectations(fixed, path);
  /** Matrices are trained in units of the state, so that AdamW's steps suit them. */
  const unit = scale;

  async function* inputs(): AsyncGenerator<StepInputs> {
    let index = 0;
    for await (const { batches: micros } of batches()) {
      for (const micro of micros) {
        const batch = batchTensors(micro as PartialBatch<Arrays>, FIELDS);
        const expected = await expectations.of(index++, batch);
        const [x0, values] = tf.tidy(() => [byteEmbeddings(fixed.params, config, batch), valuesOf(fixed, batch)]);
        const weights = tf.clone(batch.targetWeight);
        const given: StepInputs = [x0!, values!, tf.clone(batch.decoderPatch), expected, weights];
        tf.dispose(FIELDS.map((field) => batch[field]).filter((tensor) => tensor !== null) as tf.Tensor[]);
        try {
          yield given;
        } finally {
          tf.dispose([...given]);
        }
      }
    }
  }

  // A pass over all text: the source's states and expectations are in their caches afterwards.
  const covariance = new Float64Array(width * width);
  let [patches, stepsPerEpoch] = [0, 0];
  for await (const [, values] of inputs()) {
    const products = tf.tidy(() => tf.matMul(values as tf.Tensor2D, values as tf.Tensor2D, true, false).dataSync());
    for (let i = 0; i < products.length; i++) covariance[i]! += products[i]!;
    patches += values.shape[0]!;
    stepsPerEpoch++;
  }
  for (let i = 0; i < covariance.length; i++) covariance[i]! /= patches;
  const epochs = Math.max(MIN_EPOCHS, Math.ceil(MIN_STEPS / stepsPerEpoch));
  const whitened = tf.tidy(() => {
    const rows = tf.tensor2d(whitening(covariance, width, content), [content, width]);
    return tf.mul(
      tf.pad(rows, [
        [0, width - content],
        [0, 0],
      ]),
      (VALUE_SHARE * 2 * scale) / unit,
    );
  });

  // Doubled bytes and whitened values together: the root mean square by which the norm will divide, nearly the same everywhere.
  let rho = 0;
  for await (const [x0, values, decoderPatch] of inputs()) {
    rho = tf.tidy(() => {
      const x = tf.add(tf.mul(x0, 2), gatherRows(linear(values, tf.mul(whitened, unit)), decoderPatch));
      return tf.mean(tf.rsqrt(tf.mean(tf.square(x), -1))).dataSync()[0]!;
    });
    break;
  }
  const head0 = new Float32Array(VOCAB_SIZE * width);
  for (let id = 0; id < VOCAB_SIZE; id++) {
    for (let i = 0; i < spare; i++)
      head0[id * width + content + i] = ngrams.head[id * spare + i]! / (2 * ngramScale * rho * LOGIT_SCALE);
    head0[id * width + constant] = ngrams.bias[id]! / (2 * constantOf(layout) * rho * LOGIT_SCALE);
  }
  const headTensor = tf.tensor2d(head0, [VOCAB_SIZE, width]);
  const output = createParameterState('output', createVariable(whitened), GROUP);
  const head = createParameterState('head', createVariable(headTensor), GROUP);
  const writable = tf.tidy(() => tf.expandDims(tf.concat([tf.ones([count]), tf.zeros([width - count])]), 1));
  headTensor.dispose();
  whitened.dispose();

  const fn = retracedFunction(graphOrEager());
  const logitsOf = (given: StepInputs, o: tf.Tensor, h: tf.Tensor, mask: tf.Tensor) =>
    tf.mul(linear(readStates(given[0], given[1], given[2], tf.mul(o, tf.mul(mask, unit))), h), LOGIT_SCALE);
  let step = 0;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      let [nats, positions] = [0, 0];
      for await (const given of inputs()) {
        step++;
        const [first, second] = corrections(step, ADAMW.betas);
        const left = 1 - (step - 1) / (epochs * stepsPerEpoch);
        const rate = LEARNING_RATE * Math.min(1, step / WARMUP_STEPS) * left;
        const weight = tf.tidy(() => tf.sum(given[4]).dataSync()[0]!);
        const groups = {
          scalars: [rate, first, second, 1, 1 / weight].map((value) => tf.scalar(value)),
          mask: [writable],
          given: [...given],
        };
        const [loss] = await callGrouped(fn, groups, ({ scalars, mask, given: fields }) => {
          const [learningRate, firstCorrection, secondCorrection, gradientScale, inverse] = scalars as tf.Tensor[] as [
            tf.Tensor,
            tf.Tensor,
            tf.Tensor,
            tf.Tensor,
            tf.Tensor,
          ];
          const moved = new Map([
            ['output', output.value.read()],
            ['head', head.value.read()],
          ]);
          const result = lossAndGradients(moved, (now) => {
            const logits = logitsOf(fields as unknown as StepInputs, now.get('output')!, now.get('head')!, mask[0]!);
            return tf.mul(prefixKl(logits, fields[3]!, fields[4]!), inverse) as tf.Scalar;
          });
          const at: StepScalars = { learningRate, firstCorrection, secondCorrection, gradientScale };
          updateParameter(output, result.gradients[0]!, at, ADAMW);
          updateParameter(head, result.gradients[1]!, at, ADAMW);
          return [result.loss];
        });
        nats += loss!.dataSync()[0]! * weight;
        positions += weight;
        tf.dispose([loss!, ...groups.scalars]);
      }
      if (process.env.BYTEIFY_TRACE)
        console.error('readout epoch', epoch, 'KL bits', nats / positions / Math.LN2, 'rho', rho, 'steps', step);
    }
    const made = tf.tidy(() => [
      tf.mul(output.value.read(), tf.mul(writable, unit)),
      tf.mul(head.value.read(), LOGIT_SCALE),
    ]);
    const [outputValues, headValues] = made.map((tensor) => tensor.dataSync() as Float32Array);
    tf.dispose(made);
    return new Map([
      ['model.local_decoder.cross_attn_layers.0.o_proj.weight', outputValues!],
      ['lm_head.weight', headValues!],
    ]);
  } finally {
    fn.dispose();
    disposeParameterState(output);
    disposeParameterState(head);
    writable.dispose();
    await expectations.close();
  }
}
