/** @module A step of several micro-batches: one function adds up their gradients, another one applies the sums. */
import { fuseUpdate, type RunMode, retracedFunction, tf, type Variable, zeroVariable } from '../../engine/index.js';
import { batchInputs } from '../../model/index.js';
import type { Arrays, PartialBatch } from '../../patching/index.js';
import { callGrouped } from './grouped-call.js';
import { applyGradients, type Rates, type StepOptions, type TableRows, weightedGradients } from './step-gradients.js';

/** What changes from step to step beside the batches. */
export interface StepTensors {
  readonly rates: Rates;
  /** 1 / the step's weight, a scalar. */
  readonly inverseWeight: tf.Tensor;
  readonly rows: TableRows;
}

export interface StepOfBatches {
  /** @returns the losses, the gradients' norm, and the table's next rows; the caller disposes them. */
  run(batches: readonly PartialBatch<Arrays>[], tensors: StepTensors): Promise<readonly tf.Tensor[]>;
  dispose(): void;
}

/** A step whose gradients are summed micro-batch by micro-batch, so that the activations of one are in memory. */
export function summedStep(options: StepOptions, mode: RunMode): StepOfBatches {
  const { objective, parameters } = options;
  const [accumulate, apply] = [retracedFunction(mode), retracedFunction(mode)];
  let sums: readonly Variable[] | null = null;

  /** Adds a micro-batch to the sums. @returns the sums of the losses and, where a table is trained, of its rows' gradients. */
  async function add(
    into: readonly Variable[],
    batch: PartialBatch<Arrays>,
    { rows: [value], inverseWeight }: StepTensors,
    before: { readonly losses: tf.Tensor; readonly ofRows: readonly tf.Tensor[]; readonly isFirst: boolean },
  ): Promise<readonly tf.Tensor[]> {
    const { tensors, key, batchOf } = batchInputs(batch, objective.fields);
    // The first of a step begins the sums anew.
    const keep = tf.scalar(before.isFirst ? 0 : 1);
    const scalars = [inverseWeight, keep, before.losses] as const;
    const values = value === undefined ? [] : [value];
    const groups = { scalars, values, ofRows: before.ofRows, fields: tensors };
    const sum = await callGrouped(
      accumulate,
      groups,
      ({ scalars: [inverse, kept, losses], values: [rows], ofRows, fields }) => {
        const found = weightedGradients(options, batchOf(fields), rows, inverse);
        into.forEach((variable, i) => {
          fuseUpdate('sum', [variable], [found.gradients[i]!, kept], ([held], [gradient, factor]) => [
            tf.add(tf.mul(held!, factor!), gradient!),
          ]);
        });
        return [tf.add(losses, found.losses), ...ofRows.map((all) => tf.add(all, found.gradients.at(-1)!))];
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
      let ofRows: readonly tf.Tensor[] = rows.slice(0, 1).map((first) => tf.zerosLike(first));
      for (const [i, batch] of batches.entries()) {
        const [next, ...nextOfRows] = await add(into, batch, tensors, { losses, ofRows, isFirst: i === 0 });
        tf.dispose([losses, ...ofRows]);
        [losses, ofRows] = [next!, nextOfRows];
      }
      const updated = await callGrouped(apply, { rates, rows, ofRows }, (given) => {
        const gradients = [...into.map((sum) => sum.read()), ...given.ofRows];
        return applyGradients(options, gradients, given.rows, given.rates);
      });
      tf.dispose([...ofRows]);
      return [losses, ...updated];
    },
    dispose() {
      accumulate.dispose();
      apply.dispose();
      for (const sum of sums ?? []) sum.dispose();
    },
  };
}
