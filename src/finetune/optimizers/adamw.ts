/**
 * @module AdamW (Loshchilov and Hutter 2019, algorithm 2) for named parameters, each with a learning-rate scale and with or without weight
 * decay. The update is that of torch.optim.AdamW. Hash tables, of which a step reads few rows, are updated like torch.optim.SparseAdam: a row
 * moves, and its moments decay, only in steps that read it.
 */
import type { Optimizer } from '../../blt/index.js';
import { fuse, fuseUpdate, type Storage, tf, type Variable, zeroVariable } from '../../engine/index.js';

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** The settings that differ between parameters. */
export interface ParameterGroup {
  /** A factor on the learning rate. */
  readonly learningRateScale: number;
  /** Whether weight decay applies. Norms and embeddings have none. */
  readonly decay: boolean;
  readonly optimizer: Optimizer;
}

/** A parameter and its optimizer moments, all of the same shape. */
export interface ParameterState {
  readonly name: string;
  readonly group: ParameterGroup;
  readonly value: Variable;
  readonly first: Variable;
  /** Null with Muon, which has no second moment. */
  readonly second: Variable | null;
}

/** The storage type of the optimizer moments. */
export type Moments = 'float32' | 'bfloat16' | '8-bit';

/** The storage of each moment's variable. */
const MOMENT_STORAGE: Readonly<Record<Moments, { readonly first: Storage; readonly second: Storage }>> = {
  float32: { first: 'float32', second: 'float32' },
  bfloat16: { first: 'bfloat16', second: 'bfloat16' },
  '8-bit': { first: 'int8-p2', second: 'int8-p4' },
};

/** The storage of a parameter's moments; null for a moment that its optimizer does not use. */
export function momentStorage(
  { optimizer }: ParameterGroup,
  moments: Moments,
): { first: Storage; second: Storage | null } {
  const { first, second } = MOMENT_STORAGE[moments];
  return { first, second: optimizer === 'muon' ? null : second };
}

/** A parameter with moments of zero. It takes ownership of `value`. */
export function createParameterState(
  name: string,
  value: Variable,
  group: ParameterGroup,
  moments: Moments = 'float32',
): ParameterState {
  const { first, second } = momentStorage(group, moments);
  const zeros = (storage: Storage) => zeroVariable(value.shape, storage);
  return { name, group, value, first: zeros(first), second: second && zeros(second) };
}

/** The inputs that change from step to step. They are float32 scalars, so that a traced step can take them as inputs. */
export interface StepScalars {
  readonly learningRate: tf.Tensor;
  /** 1 / (1 - beta1 ^ step), with steps counted from 1. */
  readonly firstCorrection: tf.Tensor;
  /** 1 / (1 - beta2 ^ step). */
  readonly secondCorrection: tf.Tensor;
  /** A factor on the gradients: the result of clipping by global norm. */
  readonly gradientScale: tf.Tensor;
}

/** The bias corrections of a step, in double precision. @param step counts from 1. */
export function corrections(step: number, [first, second]: AdamWOptions['betas']): [number, number] {
  return [1 / (1 - first ** step), 1 / (1 - second ** step)];
}

type ParameterTensors = readonly [value: tf.Tensor, first: tf.Tensor, second: tf.Tensor];

/** The update of a parameter's value and moments, as tensors of one shape. */
function nextTensors(
  [value, first, second]: ParameterTensors,
  gradient: tf.Tensor,
  scalars: readonly tf.Tensor[],
  rule: UpdateRule,
): ParameterTensors {
  const [learningRate, firstCorrection, secondCorrection, gradientScale] = scalars as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const { betas, epsilon, weightDecay, group } = rule;
  const rate = tf.mul(learningRate, group.learningRateScale);
  const g = tf.mul(gradient, gradientScale);
  const m = tf.add(tf.mul(first, betas[0]), tf.mul(g, 1 - betas[0]));
  const v = tf.add(tf.mul(second, betas[1]), tf.mul(tf.square(g), 1 - betas[1]));
  const denominator = tf.add(tf.sqrt(tf.mul(v, secondCorrection)), epsilon);
  const change = tf.mul(tf.div(m, denominator), tf.mul(rate, firstCorrection));
  const decayed = group.decay ? tf.mul(value, tf.sub(1, tf.mul(rate, weightDecay))) : value;
  return [tf.sub(decayed, change), m, v];
}

interface UpdateRule extends AdamWOptions {
  readonly group: ParameterGroup;
}

const keyOf = ({ betas, epsilon, weightDecay, group }: UpdateRule): string =>
  `adamw ${betas} ${epsilon} ${weightDecay} ${group.learningRateScale} ${group.decay}`;

const inOrder = ({ learningRate, firstCorrection, secondCorrection, gradientScale }: StepScalars): tf.Tensor[] => [
  learningRate,
  firstCorrection,
  secondCorrection,
  gradientScale,
];

/** Updates a parameter and its two moments in place. */
export function updateParameter(
  parameter: ParameterState,
  gradient: tf.Tensor,
  scalars: StepScalars,
  options: AdamWOptions,
): void {
  const rule = { ...options, group: parameter.group };
  fuseUpdate(
    keyOf(rule),
    [parameter.value, parameter.first, parameter.second!],
    [gradient, ...inOrder(scalars)],
    (values, [g, ...rest]) => nextTensors(values as unknown as ParameterTensors, g!, rest, rule),
  );
}

/** The updated values and moments of some rows of a table, given the current ones [U, H] and their gradient [U, H]. */
export function updatedRows(
  group: ParameterGroup,
  rows: ParameterTensors,
  gradient: tf.Tensor,
  scalars: StepScalars,
  options: AdamWOptions,
): ParameterTensors {
  const rule = { ...options, group };
  return fuse(keyOf(rule), [...rows, gradient, ...inOrder(scalars)], (value, first, second, g, ...rest) =>
    nextTensors([value!, first!, second!], g!, rest, rule),
  ) as unknown as ParameterTensors;
}

/** Releases a parameter's variables. */
export function disposeParameterState({ value, first, second }: ParameterState): void {
  for (const variable of [value, first, second]) variable?.dispose();
}
