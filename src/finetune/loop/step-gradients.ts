/** @module The two halves of a training step as functions of tensors: computing the gradients of a micro-batch, and applying them. */
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
import { type RowInputs, updateRows } from './table-rows.js';

/** Everything that stays the same from step to step. */
export interface StepOptions {
  readonly objective: Objective;
  /** The parameters that every step updates. */
  readonly parameters: readonly ParameterState[];
  /**
   * The hash table, of which a step updates only the rows it reads. Its variables have one spare row more than the tensor. Null if the table is
   * frozen.
   */
  readonly table: ParameterState | null;
  /** Parameters that are only read. */
  readonly frozen: ReadonlyMap<string, Variable>;
  readonly adamw: AdamWOptions;
  readonly clipNorm: number;
  /** Of matrix products. */
  readonly precision: Precision;
  /** Keeps only each layer's input for the backward pass and recomputes the rest. */
  readonly gradientCheckpointing: boolean;
}

export interface WeightedGradients {
  /** The loss and its terms, each multiplied by the inverse weight [1 + parts]. */
  readonly losses: tf.Tensor;
  /** Of each parameter, followed by those of the table's rows. */
  readonly gradients: readonly tf.Tensor[];
}

/**
 * The forward and backward pass of a micro-batch.
 * @param values the rows of the table that the step reads; undefined if no table is trained.
 * @param inverseWeight 1 / the step's weight, a scalar. With it, the losses of the micro-batches add up to the mean over the step.
 */
export function weightedGradients(
  { objective, parameters, table, frozen, precision, gradientCheckpointing }: StepOptions,
  batch: PartialBatch<Tensors>,
  values: tf.Tensor | undefined,
  inverseWeight: tf.Tensor,
): WeightedGradients {
  const frozenTensors = new Map([...frozen].map(([name, variable]) => [name, variable.readFrozen()]));
  const trained = new Map(parameters.map(({ name, value }) => [name, value.read()]));
  if (table !== null && values !== undefined) trained.set(table.name, values);
  let measured: tf.Tensor | null = null;
  const { loss, gradients } = lossAndGradients(trained, (now) => {
    const params: Params = new Map([...frozenTensors, ...now]);
    const { value, parts } = withPrecision(precision, () => objective.loss(params, batch, { gradientCheckpointing }));
    measured = tf.keep(tf.mul(tf.stack([value, ...parts]), inverseWeight));
    return tf.mul(value, inverseWeight) as tf.Scalar;
  });
  // A clone belongs to the enclosing tidy scope, which releases it.
  const losses = tf.clone(measured!);
  tf.dispose([loss, measured!]);
  return { losses, gradients };
}

const UPDATES = { adamw: updateParameter, muon: updateMuonParameter } as const;

/** Scalars. */
export type Rates = readonly [learningRate: tf.Tensor, firstCorrection: tf.Tensor, secondCorrection: tf.Tensor];

/**
 * Clips the gradients by their global norm and updates the parameters, and the table's rows, in place.
 * @param gradients of the parameters, followed by that of the table's rows
 * @returns the norm before clipping, followed by the new rows that the function must return
 */
export function applyGradients(
  { parameters, table, adamw, clipNorm, precision }: StepOptions,
  gradients: readonly tf.Tensor[],
  rows: RowInputs,
  [learningRate, firstCorrection, secondCorrection]: Rates,
): readonly tf.Tensor[] {
  const norm = globalNorm(gradients);
  const gradientScale = clipScale(norm, clipNorm);
  const scalars: StepScalars = { learningRate, firstCorrection, secondCorrection, gradientScale };
  withPrecision(precision, () => {
    parameters.forEach((parameter, i) => {
      UPDATES[parameter.group.optimizer](parameter, gradients[i]!, scalars, adamw);
    });
  });
  const next = updateRows(table, rows, gradients.at(-1)!, (read, gradient) =>
    updatedRows(table!.group, read, gradient, scalars, adamw),
  );
  return [norm, ...next];
}
