/** @module Steps of AdamW for the fits of the initialisation: a few dense parameters, and rows of one table if there is one. */
import { retracedFunction, tf } from '../../../engine/index.js';
import { lossAndGradients } from '../../loop/gradients.js';
import { callGrouped } from '../../loop/grouped-call.js';
import {
  type AdamWOptions,
  corrections,
  type ParameterState,
  type StepScalars,
  updatedRows,
  updateParameter,
} from '../../optimizers/adamw.js';

export interface AdamWFit {
  /**
   * Computes the loss, and updates the parameters in place.
   * @param fields what the loss reads besides the parameters. The caller disposes them.
   * @param step counts from 1. @param rows the rows of the table that the loss reads, without repetition.
   * @returns the loss before the update.
   */
  run(
    fields: readonly tf.Tensor[],
    step: { readonly step: number; readonly learningRate: number; readonly rows?: Int32Array },
  ): Promise<number>;
  dispose(): void;
}

/**
 * @param options.table a parameter of which the loss gets some rows [U, width], under the table's name.
 * @param options.loss is traced: it may depend only on the parameters by name and on the fields.
 */
export function openAdamWFit(options: {
  readonly dense: readonly ParameterState[];
  readonly table?: ParameterState;
  readonly adamw: AdamWOptions;
  readonly loss: (parameters: ReadonlyMap<string, tf.Tensor>, fields: readonly tf.Tensor[]) => tf.Scalar;
}): AdamWFit {
  const { dense, table, adamw, loss } = options;
  const fn = retracedFunction('graph');
  const tableVariables = table === undefined ? [] : [table.value, table.first, table.second!];
  return {
    async run(fields, { step, learningRate, rows }) {
      const [firstCorrection, secondCorrection] = corrections(step, adamw.betas);
      const indices = tf.tensor1d(rows ?? new Int32Array(0), 'int32');
      const groups = {
        scalars: [learningRate, firstCorrection, secondCorrection, 1].map((value) => tf.scalar(value)),
        rows: tableVariables.map((variable) => variable.gatherRows(indices)),
        fields: [...fields],
      };
      const [value, ...next] = await callGrouped(fn, groups, (given) => {
        const [rate, first, second, gradientScale] = given.scalars as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const scalars: StepScalars = {
          learningRate: rate,
          firstCorrection: first,
          secondCorrection: second,
          gradientScale,
        };
        const values = new Map(dense.map((parameter) => [parameter.name, parameter.value.read()]));
        if (table !== undefined) values.set(table.name, given.rows[0]!);
        const result = lossAndGradients(values, (now) => loss(now, given.fields));
        dense.forEach((parameter, i) => {
          updateParameter(parameter, result.gradients[i]!, scalars, adamw);
        });
        if (table === undefined) return [result.loss];
        const read = given.rows as [tf.Tensor, tf.Tensor, tf.Tensor];
        return [result.loss, ...updatedRows(table.group, read, result.gradients.at(-1)!, scalars, adamw)];
      });
      tableVariables.forEach((variable, i) => {
        variable.scatterRows(indices, next[i]!);
      });
      const number = value!.dataSync()[0]!;
      tf.dispose([indices, value!, ...next, ...groups.scalars, ...groups.rows]);
      return number;
    },
    dispose: () => fn.dispose(),
  };
}

/**
 * The learning rate of a step: it rises for `warmup` steps, and falls linearly to zero.
 * @param step counts from 1. @param progress the share of the fit that is done.
 */
export const linearRate = (
  peak: number,
  { step, warmup, progress }: { readonly step: number; readonly warmup: number; readonly progress: number },
): number => peak * Math.min(1, step / warmup) * (1 - progress);
