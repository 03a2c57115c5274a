/**
 * @module The rows of the hash table that a step reads and writes. OpenXLA changes a table within the step's program, in place. TensorFlow would
 * copy it there, so its functions get the rows and return the new ones.
 */
import { onOpenXla, tf } from '../../engine/index.js';
import type { SparseRows } from '../batches/sparse-rows.js';
import type { ParameterState } from '../optimizers/adamw.js';

/** What a step's functions get: the rows, or only their indices. Empty if no table is trained. */
export type RowInputs = readonly tf.Tensor[];

const variablesOf = ({ value, first, second }: ParameterState) => [value, first, second!] as const;

/** Rows of the table [U, H]: values, first moments, second moments. */
type Rows = readonly [value: tf.Tensor, first: tf.Tensor, second: tf.Tensor];

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
  const inputs: RowInputs = variablesOf(table).map((variable) => variable.gatherRows(indices));
  return {
    inputs,
    write: (next: readonly tf.Tensor[]) => scatter(table, indices, next),
    dispose: () => tf.dispose([indices, ...inputs]),
  };
}

/** In a step's function: the values of the rows, without their moments. Undefined if no table is trained. */
export function rowValuesFrom(table: ParameterState | null, inputs: RowInputs): tf.Tensor | undefined {
  if (table === null || inputs.length === 0) return undefined;
  return onOpenXla() ? table.value.gatherRows(inputs[0]!) : inputs[0];
}

/** Rows that OpenXLA updates at a time: with their moments, copies of all would take more memory than a micro-batch does. */
const PART_ROWS = 65_536;

/**
 * In a step's function: updates the rows.
 * @param gradient of the rows [U, H]. @param update (rows, their gradient) -> the new rows
 * @returns the new rows, which the function must return; none if they are written already, or no table is trained
 */
export function updateRows(
  table: ParameterState | null,
  inputs: RowInputs,
  gradient: tf.Tensor,
  update: (rows: Rows, gradient: tf.Tensor) => Rows,
): readonly tf.Tensor[] {
  if (table === null || inputs.length === 0) return [];
  if (!onOpenXla()) return update(inputs as Rows, gradient);
  const [indices] = inputs as readonly [tf.Tensor];
  const [count, width] = gradient.shape as [number, number];
  for (let from = 0; from < count; from += PART_ROWS) {
    const size = Math.min(PART_ROWS, count - from);
    const part = tf.slice(indices, [from], [size]);
    const rows = variablesOf(table).map((variable) => variable.gatherRows(part)) as unknown as Rows;
    const next = update(rows, tf.slice(gradient, [from, 0], [size, width]));
    scatter(table, part, next);
  }
  return [];
}
