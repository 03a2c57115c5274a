/**
 * @module Gradient accumulation: one compiled function adds the gradients of a micro-batch to the sums, another applies the sums. If several processes
 * train together, the sums are added up over them in between.
 */
import {
  fuseUpdate,
  type RunMode,
  resetVariable,
  retracedFunction,
  tf,
  type Variable,
  zeroVariable,
} from '../../engine/index.js';
import { batchInputs } from '../../model/index.js';
import type { Arrays, PartialBatch } from '../../patching/index.js';
import type { ParameterState } from '../optimizers/adamw.js';
import type { AllGradients, GradientSum } from './gradient-sum.js';
import { callGrouped } from './grouped-call.js';
import { applyGradients, type Rates, type StepOptions, weightedGradients } from './step-gradients.js';
import { type RowInputs, rowValuesFrom } from './table-rows.js';

/** The inputs of a step that are not part of a micro-batch. */
export interface StepTensors {
  readonly rates: Rates;
  /** 1 / the step's weight, a scalar. */
  readonly inverseWeight: tf.Tensor;
  readonly rows: RowInputs;
  /** How many of the rows are not padding. */
  readonly rowCount: number;
}

export interface CompiledStep {
  /** @returns the losses, the gradient norm, and the updated rows of the table. The caller disposes them. */
  run(batches: readonly PartialBatch<Arrays>[], tensors: StepTensors): Promise<readonly tf.Tensor[]>;
  dispose(): void;
}

/** The sums of gradients. */
interface Sums {
  /** Of the parameters. */
  readonly dense: readonly Variable[];
  /** Of the table's rows; none if no table is trained. */
  readonly ofRows: readonly Variable[];
}

/** What this process has summed up. */
interface OwnSums extends Sums {
  readonly losses: tf.Tensor;
  readonly rowCount: number;
}

/** The sum of the gradients of the table's rows, whose number may change from step to step. */
function rowSum(table: ParameterState | null) {
  let sum: Variable | null = null;
  return {
    /** A variable of zeros for so many rows, of which `rows` has one per index in either form; none if no table is trained. */
    for([first]: RowInputs): readonly Variable[] {
      if (table === null || first === undefined) return [];
      const shape = [first.shape[0]!, ...table.value.shape.slice(1)];
      if (sum?.shape[0] === shape[0]) {
        resetVariable(sum!);
      } else {
        sum?.dispose();
        sum = zeroVariable(shape);
      }
      return [sum!];
    },
    dispose: () => sum?.dispose(),
  };
}

/** A step that sums gradients over its micro-batches, so that only one micro-batch's activations are in memory. */
export function accumulatedStep(options: StepOptions, mode: RunMode, overProcesses: GradientSum | null): CompiledStep {
  const { objective, parameters } = options;
  const [accumulate, apply] = [retracedFunction(mode), retracedFunction(mode)];
  let sums: readonly Variable[] | null = null;
  const rowsSum = rowSum(options.table);

  /** Adds a micro-batch to the sums. @returns the summed losses */
  async function add(
    { dense, ofRows }: Sums,
    batch: PartialBatch<Arrays>,
    { rows, inverseWeight }: StepTensors,
    before: { readonly losses: tf.Tensor; readonly isFirst: boolean },
  ): Promise<tf.Tensor> {
    const { tensors, key, batchOf } = batchInputs(batch, objective.fields);
    // The first micro-batch of a step resets the parameters' sums.
    const keep = tf.scalar(before.isFirst ? 0 : 1);
    const scalars = [inverseWeight, keep, before.losses] as const;
    const groups = { scalars, rows, fields: tensors };
    const [losses] = await callGrouped(
      accumulate,
      groups,
      ({ scalars: [inverse, kept, soFar], rows: inputs, fields }) => {
        const values = rowValuesFrom(options.table, inputs);
        const found = weightedGradients(options, batchOf(fields), values, inverse);
        dense.forEach((variable, i) => {
          fuseUpdate('sum', [variable], [found.gradients[i]!, kept], ([total], [gradient, factor]) => [
            tf.add(tf.mul(total!, factor!), gradient!),
          ]);
        });
        // Most of the rows have no gradient here: the sum is changed where they have one.
        for (const variable of ofRows)
          fuseUpdate('row sum', [variable], [found.gradients.at(-1)!], ([total], [gradient]) => [
            tf.add(total!, gradient!),
          ]);
        return [tf.add(soFar, found.losses)];
      },
      key,
    );
    tf.dispose([keep, ...tensors]);
    return losses!;
  }

  /** The gradients of all processes, if there are others than this one: else the sums are read where they are applied. */
  async function sumOf({ losses, dense, ofRows, rowCount }: OwnSums): Promise<AllGradients> {
    if (overProcesses === null) return { losses, buckets: [], rowGradients: [] };
    const rowGradients = ofRows.map((sum) => sum.read());
    const all = await overProcesses.add({ losses, sums: dense, rowGradients, rowCount });
    tf.dispose([losses, ...rowGradients]);
    return all;
  }

  return {
    async run(batches, tensors) {
      sums ??= parameters.map(({ value }) => zeroVariable(value.shape));
      const { rates, rows } = tensors;
      const [dense, ofRows] = [sums, rowsSum.for(rows)];
      let losses: tf.Tensor = tf.zeros([1 + objective.parts.length]);
      for (const [i, batch] of batches.entries()) {
        const next = await add({ dense, ofRows }, batch, tensors, { losses, isFirst: i === 0 });
        losses.dispose();
        losses = next;
      }
      const summed = await sumOf({ losses, dense, ofRows, rowCount: tensors.rowCount });
      const { buckets, rowGradients } = summed;
      const updated = await callGrouped(apply, { rates, rows, rowGradients, buckets }, (given) => {
        const gradients =
          overProcesses === null
            ? [...dense, ...ofRows].map((sum) => sum.read())
            : [...overProcesses.unpack(given.buckets), ...given.rowGradients];
        return applyGradients(options, gradients, given.rows, given.rates);
      });
      tf.dispose([...rowGradients, ...buckets]);
      return [summed.losses, ...updated];
    },
    dispose() {
      accumulate.dispose();
      apply.dispose();
      for (const sum of sums ?? []) sum.dispose();
      rowsSum.dispose();
    },
  };
}
