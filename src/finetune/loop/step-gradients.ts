/** @module The two halves of a training step as functions of tensors: the gradients of a micro-batch, and the update that they make. */
import { type Precision, tf, type Variable, withPrecision } from '../../engine/index.js';
import type { Params, Tensors } from '../../model/index.js';
import type { PartialBatch } from '../../patching/index.js';
import {
  type AdamWOptions,
  type ParameterState,
  type StepScalars,
  updatedRows,
  updateParameter,
} from '../optimizers/adamw.js';
import { updateMuonParameter } from '../optimizers/muon.js';
import type { Objective } from '../stages/objective.js';
import { clipScale, globalNorm, lossAndGradients } from './gradients.js';

/** The model in training and how it is trained: what is the same in all steps. */
export interface StepOptions {
  readonly objective: Objective;
  /** Parameters that every step moves. */
  readonly parameters: readonly ParameterState[];
  /** A table of which a step moves the rows it reads; its variables have one spare row more than the tensor. Null when it is frozen. */
  readonly table: ParameterState | null;
  /** Parameters that are only read. */
  readonly fixed: ReadonlyMap<string, Variable>;
  readonly adamw: AdamWOptions;
  readonly clipNorm: number;
  /** Of matrix products. */
  readonly precision: Precision;
  /** Keep only each layer's input for the backward pass. */
  readonly gradientCheckpointing: boolean;
}

/** Rows of a table that a step reads: their values, and their first and second moments. Empty where no table is trained. */
export type TableRows = readonly [] | readonly [value: tf.Tensor, first: tf.Tensor, second: tf.Tensor];

export interface WeightedGradients {
  /** The loss and its parts, each times the inverse weight [1 + parts]. */
  readonly losses: tf.Tensor;
  /** Of each parameter, and of the table's rows last. */
  readonly gradients: readonly tf.Tensor[];
}

/**
 * @param values of the rows of the table that the step reads; left out where no table is trained.
 * @param inverseWeight 1 / the step's weight, a scalar: so the losses of micro-batches add up to the step's mean.
 */
export function weightedGradients(
  { objective, parameters, table, fixed, precision, gradientCheckpointing }: StepOptions,
  batch: PartialBatch<Tensors>,
  values: tf.Tensor | undefined,
  inverseWeight: tf.Tensor,
): WeightedGradients {
  const frozen = new Map([...fixed].map(([name, variable]) => [name, variable.readFrozen()]));
  const moved = new Map(parameters.map(({ name, value }) => [name, value.read()]));
  if (table !== null && values !== undefined) moved.set(table.name, values);
  let measured: tf.Tensor | null = null;
  const { loss, gradients } = lossAndGradients(moved, (now) => {
    const params: Params = new Map([...frozen, ...now]);
    const { value, parts } = withPrecision(precision, () => objective.loss(params, batch, { gradientCheckpointing }));
    measured = tf.keep(tf.mul(tf.stack([value, ...parts]), inverseWeight));
    return tf.mul(value, inverseWeight) as tf.Scalar;
  });
  // Belongs to the scope around it again, which releases it.
  const losses = tf.clone(measured!);
  tf.dispose([loss, measured!]);
  return { losses, gradients };
}

const UPDATES = { adamw: updateParameter, muon: updateMuonParameter } as const;

/** The learning rate and the two bias corrections, scalars. */
export type Rates = readonly [learningRate: tf.Tensor, firstCorrection: tf.Tensor, secondCorrection: tf.Tensor];

/**
 * Clips the gradients and updates the parameters in place.
 * @returns the norm before clipping, and the table's next rows.
 */
export function applyGradients(
  { parameters, table, adamw, clipNorm }: StepOptions,
  gradients: readonly tf.Tensor[],
  rows: TableRows,
  [learningRate, firstCorrection, secondCorrection]: Rates,
): readonly tf.Tensor[] {
  const norm = globalNorm(gradients);
  const gradientScale = clipScale(norm, clipNorm);
  const scalars: StepScalars = { learningRate, firstCorrection, secondCorrection, gradientScale };
  parameters.forEach((parameter, i) => {
    UPDATES[parameter.group.optimizer](parameter, gradients[i]!, scalars, adamw);
  });
  if (table === null || rows.length === 0) return [norm];
  return [norm, ...updatedRows(table.group, rows, gradients.at(-1)!, scalars, adamw)];
}
