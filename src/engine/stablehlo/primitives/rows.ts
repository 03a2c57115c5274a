/** @module Reading and writing by index. */
import { type Body, typeOf, type Value } from '../body.js';
import { tensorType } from '../types.js';
import { combiner } from './combiner.js';
import { range } from './shapes.js';

/** How rows that fall on the same index are combined. `replace` keeps one of them. */
export type Combination = 'add' | 'maximum' | 'replace';

/** Reads. Indices that are out of range are moved into it. */
export function gatherPrimitives({ emit }: Body) {
  const gatherOf = (
    x: Value,
    ids: Value,
    numbers: string,
    sizes: readonly number[],
    shape: readonly number[],
  ): Value => {
    const attributes = `dimension_numbers = #stablehlo.gather<${numbers}>, slice_sizes = array<i64: ${sizes.join(', ')}>, indices_are_sorted = false`;
    const type = `(${typeOf(x)}, ${typeOf(ids)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(`"stablehlo.gather"(${x.id}, ${ids.id}) <{${attributes}}> : ${type}`, shape, x.dtype);
  };

  /**
   * Slices of `x` at indices along one axis. Indices that are out of range are moved into it.
   * @param batchAxes how many leading axes of both belong together
   * @returns x.shape[..axis], ids.shape[batchAxes..], x.shape[axis + 1..]
   */
  const gather = (x: Value, ids: Value, axis = 0, batchAxes = 0): Value => {
    const before = x.shape.slice(0, axis);
    const after = x.shape.slice(axis + 1);
    const own = ids.shape.slice(batchAxes);
    const shape = [...before, ...own, ...after];
    const offsets = [...range(axis).slice(batchAxes), ...after.map((_, i) => axis + own.length + i)];
    const batch = range(batchAxes).join(', ');
    const batching =
      batchAxes === 0 ? '' : `operand_batching_dims = [${batch}], start_indices_batching_dims = [${batch}], `;
    const numbers = `offset_dims = [${offsets.join(', ')}], collapsed_slice_dims = [${axis}], ${batching}start_index_map = [${axis}], index_vector_dim = ${ids.shape.length}`;
    const sizes = x.shape.map((n, i) => (i === axis || i < batchAxes ? 1 : n));
    return gatherOf(x, ids, numbers, sizes, shape);
  };

  /** Elements of `x` at indices [..., k] into its first k axes. */
  const gatherElements = (x: Value, ids: Value): Value => {
    const depth = ids.shape.at(-1)!;
    const outer = ids.shape.slice(0, -1);
    const rest = x.shape.slice(depth);
    const collapsed = range(depth).join(', ');
    const offsets = rest.map((_, i) => outer.length + i).join(', ');
    const numbers = `offset_dims = [${offsets}], collapsed_slice_dims = [${collapsed}], start_index_map = [${collapsed}], index_vector_dim = ${outer.length}`;
    const sizes = x.shape.map((n, i) => (i < depth ? 1 : n));
    return gatherOf(x, ids, numbers, sizes, [...outer, ...rest]);
  };

  return { gather, gatherElements };
}

/** Writes. Rows whose index is out of range are dropped. */
export function scatterPrimitives({ emit }: Body) {
  /** `into` with rows combined at indices of its first axis. Rows whose index is out of range are dropped. */
  const scatter = (how: Combination, into: Value, ids: Value, rows: Value): Value => {
    const windows = into.shape.slice(1).map((_, i) => i + ids.shape.length);
    const scalar = tensorType([], into.dtype);
    const region =
      how === 'replace'
        ? `({\n    ^bb0(%p: ${scalar}, %q: ${scalar}):\n      stablehlo.return %q : ${scalar}\n    })`
        : combiner(how, into.dtype);
    const numbers = `update_window_dims = [${windows.join(', ')}], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = ${ids.shape.length}`;
    const attributes = `scatter_dimension_numbers = #stablehlo.scatter<${numbers}>, indices_are_sorted = false, unique_indices = false`;
    const type = `(${typeOf(into)}, ${typeOf(ids)}, ${typeOf(rows)}) -> ${typeOf(into)}`;
    return emit(
      `"stablehlo.scatter"(${into.id}, ${ids.id}, ${rows.id}) <{${attributes}}> ${region} : ${type}`,
      into.shape,
      into.dtype,
    );
  };

  return { scatter };
}
