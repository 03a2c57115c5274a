/**
 * @module The objectives of distillation (docs/distillation.md): the encoder learns the source's token embeddings (as in arXiv 2602.01007), the
 * decoder learns to read the source's last states (as in Bolmo, arXiv 2512.15586, section 3.2.1), and then the two are joined through the frozen
 * layers between them.
 */
import type { BltConfig, Part } from '../blt/index.js';
import {
  byteLogProbabilities,
  chunkLoss,
  embeddingLoss,
  prefixKl,
  prefixMarginals,
  sourceLogProbabilities,
} from '../distill/index.js';
import { gatherRows, linear, rmsNorm, tf } from '../engine/index.js';
import { bltDecode, bltEncode, bltForward, type Params, patchVectors } from '../model/index.js';
import type { StageOf } from '../recipe/index.js';
import type { SourceTarget } from './batch-preparer.js';
import {
  type BatchTensors,
  byteCrossEntropy,
  CROSS_ENTROPY,
  type Objective,
  patchedOf,
  type StepLoss,
} from './objective.js';
import { sourceEmbedding, sourceHead, sourceNorm } from './source-tensors.js';

/** Softens chunk probabilities (Bolmo's 5). */
const CHUNK_TEMPERATURE = 5;

/** Metrics a loss is logged under. */
const NAMES = { cross_entropy: CROSS_ENTROPY, prefix_kl: 'prefix_kl', chunk: 'chunk', embedding: 'embedding' } as const;
type Loss = keyof typeof NAMES;

interface Weighted {
  readonly loss: Loss;
  readonly weight: number;
}

/** The losses that count. */
function counted(weights: Partial<Record<Loss, number>>): Weighted[] {
  return Object.entries(weights).flatMap(([loss, weight]) => (weight > 0 ? [{ loss: loss as Loss, weight }] : []));
}

function weightedSum(losses: readonly Weighted[], values: Readonly<Partial<Record<Loss, () => tf.Tensor>>>): StepLoss {
  const parts = losses.map(({ loss }) => values[loss]!() as tf.Scalar);
  const value = parts
    .map((part, i) => tf.mul(part, losses[i]!.weight))
    .reduce((sum, part) => tf.add(sum, part)) as tf.Scalar;
  return { value, parts };
}

/** Squared distance of the encoder's patches from their tokens' embeddings, of the embeddings' variance; patches of one token count. */
function encoderLoss(params: Params, patches: tf.Tensor, batch: BatchTensors, variance: number): tf.Tensor {
  const target = gatherRows(sourceEmbedding(params), batch.patchToken!);
  return embeddingLoss(patchVectors(params, patches), target, batch.patchWeight!, variance);
}

/** What the source expects the next bytes to be [rows * length, 256]. */
function expectations(params: Params, config: BltConfig, batch: BatchTensors): tf.Tensor {
  const normal = rmsNorm(batch.sourceStates!, sourceNorm(params), config.global.rmsNormEps);
  return prefixMarginals(linear(normal, sourceHead(params)), batch.targetState!, batch.targetBounds!);
}

/** Losses of byte logits against text and source. The expectations are computed once, where a loss wants them. */
function byteLosses(params: Params, config: BltConfig, batch: BatchTensors, logits: tf.Tensor) {
  let made: tf.Tensor | null = null;
  const marginals = () => {
    made ??= expectations(params, config, batch);
    return made;
  };
  return {
    cross_entropy: () => byteCrossEntropy(logits, batch),
    prefix_kl: () => prefixKl(logits, marginals(), batch.targetWeight!),
    chunk: () =>
      chunkLoss({
        studentLogProbabilities: byteLogProbabilities(logits, batch.targets!),
        sourceLogProbabilities: sourceLogProbabilities(marginals(), batch.targets!),
        chunkOfByte: batch.chunkOfByte!,
        chunkWeights: batch.chunkWeights!,
        temperature: CHUNK_TEMPERATURE,
      }),
  };
}

const asksSource = (losses: readonly Weighted[]) => losses.some(({ loss }) => loss === 'prefix_kl' || loss === 'chunk');

interface DistillStage {
  readonly frozen: readonly string[];
}

const trainer =
  (parts: readonly Part[], { frozen }: DistillStage) =>
  ({ part }: { readonly part: Part }) =>
    parts.includes(part) && !frozen.includes(part);

/**
 * Stage 1a: needs the source's embeddings alone. @param variance mean over channels of the embeddings' variance.
 */
export function alignEncoderObjective(config: BltConfig, stage: StageOf<'align-encoder'>, variance: number): Objective {
  return {
    lora: null,
    trains: trainer(['encoder', 'hash'], stage),
    reads: ({ part }) => part === 'encoder' || part === 'hash' || part === 'patcher',
    patched: true,
    targets: ['encoder'],
    weights: 'patchWeight',
    parts: [NAMES.embedding],
    loss: (params, batch, shape, options) => {
      const { patches } = bltEncode(params, config, patchedOf(batch, shape), options);
      const value = encoderLoss(params, patches, batch, variance) as tf.Scalar;
      return { value, parts: [value] };
    },
  };
}

/** Stage 1b: the source's last states stand in the latent global transformer's place. */
export function distillDecoderObjective(
  config: BltConfig,
  stage: StageOf<'distill-decoder'>,
  variance: number,
): Objective {
  const encoderMoves = !(stage.frozen.includes('encoder') && stage.frozen.includes('hash'));
  const { embedding, ...ofBytes } = stage.losses;
  const losses = counted({ ...ofBytes, ...(encoderMoves && { embedding }) });
  const targets: SourceTarget[] = ['states'];
  if (asksSource(losses)) targets.push('bytes');
  if (losses.some(({ loss }) => loss === 'embedding')) targets.push('encoder');
  return {
    lora: null,
    trains: trainer(['encoder', 'hash', 'decoder', 'head'], stage),
    reads: () => true,
    patched: true,
    targets,
    weights: 'weights',
    parts: losses.map(({ loss }) => NAMES[loss]),
    loss: (params, batch, shape, options) => {
      const patched = patchedOf(batch, shape);
      const encoded = bltEncode(params, config, patched, options);
      const states = gatherRows(batch.sourceStates!, batch.patchState!);
      const logits = bltDecode(params, config, patched, { bytes: encoded.bytes, patches: states }, options);
      return weightedSum(losses, {
        ...byteLosses(params, config, batch, logits),
        embedding: () => encoderLoss(params, encoded.patches, batch, variance),
      });
    },
  };
}

/** Stage 1c: the whole BLT, its latent global transformer held. */
export function joinObjective(config: BltConfig, stage: StageOf<'join'>): Objective {
  const losses = counted(stage.losses);
  return {
    lora: null,
    trains: trainer(['encoder', 'hash', 'decoder', 'head'], stage),
    reads: () => true,
    patched: true,
    targets: asksSource(losses) ? ['states', 'bytes'] : [],
    weights: 'weights',
    parts: losses.map(({ loss }) => NAMES[loss]),
    loss: (params, batch, shape, options) => {
      const logits = bltForward(params, config, patchedOf(batch, shape), options);
      return weightedSum(losses, byteLosses(params, config, batch, logits));
    },
  };
}
