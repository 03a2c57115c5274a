/**
 * @module Gradient accumulation: one compiled function adds the gradients of a micro-batch to the sums, another applies the sums. If several processes
 * train together, the sums are added up over them in between.
 */
import { fuseUpdate, type RunMode, retracedFunction, tf, type Variable, zeroVariable } from '../../engine/index.js';
import { batchInputs } from '../../model/index.js';
import type { Arrays, PartialBatch } from '../../patching/index.js';
import type { ParameterState } from '../optimizers/adamw.js';
import type { GradientSum } from './gradient-sum.js';
import { callGrouped } from './grouped-call.js';
import { applyGradients, type Rates, type StepOptions, weightedGradients } from './step-gradients.js';
import { type RowInputs, rowsFrom, rowValuesFrom, writeRows } from './table-rows.js';

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

/** A gradient of zeros for the rows, of which `rows` has one per index in either form. */
const zeroRows = (table: ParameterState | null, [first]: RowInputs): readonly tf.Tensor[] =>
  table === null || first === undefined ? [] : [tf.zeros([first.shape[0]!, ...table.value.shape.slice(1)])];

/** A step that sums gradients over its micro-batches, so that only one micro-batch's activations are in memory. */
export function accumulatedStep(options: StepOptions, mode: RunMode, overProcesses: GradientSum | null): CompiledStep {
  const { objective, parameters } = options;
  const [accumulate, apply] = [retracedFunction(mode), retracedFunction(mode)];
  let sums: readonly Variable[] | null = null;

  /** Adds a micro-batch to the sums. @returns the summed losses and, if a table is trained, the summed gradients of its rows. */
  async function add(
    into: readonly Variable[],
    batch: PartialBatch<Arrays>,
    { rows, inverseWeight }: StepTensors,
    before: { readonly losses: tf.Tensor; readonly rowGradients: readonly tf.Tensor[]; readonly isFirst: boolean },
  ): Promise<readonly tf.Tensor[]> {
    const { tensors, key, batchOf } = batchInputs(batch, objective.fields);
    // The first micro-batch of a step resets the sums.
    const keep = tf.scalar(before.isFirst ? 0 : 1);
    const scalars = [inverseWeight, keep, before.losses] as const;
    const groups = { scalars, rows, rowGradients: before.rowGradients, fields: tensors };
    const sum = await callGrouped(
      accumulate,
      groups,
      ({ scalars: [inverse, kept, losses], rows: inputs, rowGradients, fields }) => {
        const values = rowValuesFrom(options.table, inputs);
        const found = weightedGradients(options, batchOf(fields), values, inverse);
        into.forEach((variable, i) => {
          fuseUpdate('sum', [variable], [found.gradients[i]!, kept], ([total], [gradient, factor]) => [
            tf.add(tf.mul(total!, factor!), gradient!),
          ]);
        });
        return [tf.add(losses, found.losses), ...rowGradients.map((all) => tf.add(all, found.gradients.at(-1)!))];
      },
      key,
    );
    tf.dispose([keep, ...tensors]);
    return sum;
  }

  return {
    async run(batches, tensors) {
      sums ??= parameters.map(({ value }) => zeroVariable(value.shape));
      const into = sums;
      const { rates, rows } = tensors;
      let losses: tf.Tensor = tf.zeros([1 + objective.parts.length]);
      let rowGradients: readonly tf.Tensor[] = zeroRows(options.table, rows);
      for (const [i, batch] of batches.entries()) {
        const [next, ...nextRowGradients] = await add(into, batch, tensors, { losses, rowGradients, isFirst: i === 0 });
        tf.dispose([losses, ...rowGradients]);
        [losses, rowGradients] = [next!, nextRowGradients];
      }
      let buckets: readonly tf.Tensor[] = [];
      if (overProcesses !== null) {
        const own = { losses, sums: into, rowGradients, rowCount: tensors.rowCount };
        const all = await overProcesses.add(own);
        tf.dispose([losses, ...rowGradients]);
        ({ losses, rowGradients, buckets } = all);
      }
      const updated = await callGrouped(apply, { rates, rows, rowGradients, buckets }, (given) => {
        const dense = overProcesses === null ? into.map((sum) => sum.read()) : overProcesses.unpack(given.buckets);
        const gradients = [...dense, ...given.rowGradients];
        const [norm, ...next] = applyGradients(options, gradients, rowsFrom(options.table, given.rows), given.rates);
        return [norm!, ...writeRows(options.table, given.rows, next)];
      });
      tf.dispose([...rowGradients, ...buckets]);
      return [losses, ...updated];
    },
    dispose() {
      accumulate.dispose();
      apply.dispose();
      for (const sum of sums ?? []) sum.dispose();
    },
  };
}
