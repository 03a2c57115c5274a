/**
 * @module AdamW (Loshchilov and Hutter 2019, algorithm 2) over named parameters, with a learning-rate scale and a decay switch a
 * parameter. The update is that of torch.optim.AdamW. Tables that a step touches in few rows have a lazy form, that of
 * torch.optim.SparseAdam: a row's moments decay, and the row moves, only in steps that read it.
 */
import { fuse, fuseUpdate, type Storage, tf, type Variable, zeroVariable } from '../../engine/index.js';

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** What differs from parameter to parameter. */
export interface ParameterGroup {
  /** The learning rate is multiplied by this. */
  readonly learningRateScale: number;
  /** Norms and embeddings are not decayed. */
  readonly decay: boolean;
  readonly optimizer: 'adamw' | 'muon';
}

/** A parameter with its moments, all of one shape. */
export interface ParameterState {
  readonly name: string;
  readonly group: ParameterGroup;
  readonly value: Variable;
  readonly first: Variable;
  /** Muon has none. */
  readonly second: Variable | null;
}

/** How moments are held. */
export type Moments = 'float32' | 'bfloat16' | '8-bit';

/** First and second moments, as variables hold them. */
const MOMENT_STORAGE: Readonly<Record<Moments, { readonly first: Storage; readonly second: Storage }>> = {
  float32: { first: 'float32', second: 'float32' },
  bfloat16: { first: 'bfloat16', second: 'bfloat16' },
  '8-bit': { first: 'int8-p2', second: 'int8-p4' },
};

/** How a parameter's moments are held; null for one that its optimizer has not. */
export function momentStorage(
  { optimizer }: ParameterGroup,
  moments: Moments,
): { first: Storage; second: Storage | null } {
  const { first, second } = MOMENT_STORAGE[moments];
  return { first, second: optimizer === 'muon' ? null : second };
}

/** A parameter whose moments are zero. The parameter owns `value` from here on. */
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

/** What changes from step to step: float32 scalars, so that a traced step can take them as inputs. */
export interface StepScalars {
  readonly learningRate: tf.Tensor;
  /** 1 / (1 - beta1 ^ step), steps counted from 1. */
  readonly firstCorrection: tf.Tensor;
  /** 1 / (1 - beta2 ^ step). */
  readonly secondCorrection: tf.Tensor;
  /** Gradients are multiplied by this: what clipping by their global norm asks for. */
  readonly gradientScale: tf.Tensor;
}

/** The corrections of a step, in double precision. @param step counts from 1. */
export function corrections(step: number, [first, second]: AdamWOptions['betas']): [number, number] {
  return [1 / (1 - first ** step), 1 / (1 - second ** step)];
}

type Triple = readonly [value: tf.Tensor, first: tf.Tensor, second: tf.Tensor];

/** The algorithm on tensors of one shape. */
function next([value, first, second]: Triple, gradient: tf.Tensor, scalars: readonly tf.Tensor[], rule: Rule): Triple {
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
  const kept = group.decay ? tf.mul(value, tf.sub(1, tf.mul(rate, weightDecay))) : value;
  return [tf.sub(kept, change), m, v];
}

interface Rule extends AdamWOptions {
  readonly group: ParameterGroup;
}

const keyOf = ({ betas, epsilon, weightDecay, group }: Rule): string =>
  `adamw ${betas} ${epsilon} ${weightDecay} ${group.learningRateScale} ${group.decay}`;

const inOrder = ({ learningRate, firstCorrection, secondCorrection, gradientScale }: StepScalars): tf.Tensor[] => [
  learningRate,
  firstCorrection,
  secondCorrection,
  gradientScale,
];

/** One update of one parameter that has both moments, in place. */
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
    (values, [g, ...rest]) => next(values as unknown as Triple, g!, rest, rule),
  );
}

/** The lazy form: the next values of rows that were gathered from a parameter's three variables, [U, H] each. */
export function updatedRows(
  group: ParameterGroup,
  rows: Triple,
  gradient: tf.Tensor,
  scalars: StepScalars,
  options: AdamWOptions,
): Triple {
  const rule = { ...options, group };
  return fuse(keyOf(rule), [...rows, gradient, ...inOrder(scalars)], (value, first, second, g, ...rest) =>
    next([value!, first!, second!], g!, rest, rule),
  ) as unknown as Triple;
}

/** Releases a parameter's variables. */
export function disposeParameterState({ value, first, second }: ParameterState): void {
  for (const variable of [value, first, second]) variable?.dispose();
}
