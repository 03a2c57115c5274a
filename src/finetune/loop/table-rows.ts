/**
 * @module The rows of the hash table that a step reads and writes. OpenXLA changes a table within the step's program, in place. TensorFlow would
 * copy it there, so its functions get the rows and return the new ones.
 */
import { onOpenXla, tf } from '../../engine/index.js';
import type { SparseRows } from '../batches/sparse-rows.js';
import type { ParameterState } from '../optimizers/adamw.js';
import type { TableRows } from './step-gradients.js';

/** What a step's functions get: the rows, or only their indices. Empty if no table is trained. */
export type RowInputs = readonly tf.Tensor[];

const variablesOf = ({ value, first, second }: ParameterState) => [value, first, second!] as const;

function gathered(table: ParameterState, indices: tf.Tensor): TableRows {
  const [value, first, second] = variablesOf(table).map((variable) => variable.gatherRows(indices));
  return [value!, first!, second!];
}

function scatter(table: ParameterState, indices: tf.Tensor, rows: readonly tf.Tensor[]): void {
  variablesOf(table).forEach((variable, i) => {
    variable.scatterRows(indices, rows[i]!);
  });
}

/** The rows for one step. The caller calls `write` with what the step returned for them, and disposes the inputs. */
export function openRows(table: ParameterState | null, sparse: SparseRows | null) {
  if (table === null || sparse === null) return { inputs: [] as RowInputs, write: () => {}, dispose: () => {} };
  const indices = tf.tensor1d(sparse.indices, 'int32');
  if (onOpenXla()) return { inputs: [indices] as RowInputs, write: () => {}, dispose: () => indices.dispose() };
  const inputs: RowInputs = gathered(table, indices);
  return {
    inputs,
    write: (next: readonly tf.Tensor[]) => scatter(table, indices, next),
    dispose: () => tf.dispose([indices, ...inputs]),
  };
}

/** In a step's function: the rows. */
export function rowsFrom(table: ParameterState | null, inputs: RowInputs): TableRows {
  if (table === null || inputs.length === 0) return [];
  return onOpenXla() ? gathered(table, inputs[0]!) : (inputs as TableRows);
}

/** In a step's function: the values of the rows, without their moments. Undefined if no table is trained. */
export function rowValuesFrom(table: ParameterState | null, inputs: RowInputs): tf.Tensor | undefined {
  if (table === null || inputs.length === 0) return undefined;
  return onOpenXla() ? table.value.gatherRows(inputs[0]!) : inputs[0];
}

/** In a step's function: writes the new rows if that can be done there. @returns the rows that the function must return */
export function writeRows(
  table: ParameterState | null,
  inputs: RowInputs,
  next: readonly tf.Tensor[],
): readonly tf.Tensor[] {
  if (table === null || next.length === 0 || !onOpenXla()) return next;
  scatter(table, inputs[0]!, next);
  return [];
}
