/** @module Operations on variables. */
import type { Value } from './body.js';
import type { Operand } from './operation.js';
import type { Primitives } from './primitives/index.js';

/** A variable within a body. */
export interface VariableState {
  /** Its value at this point. */
  value: Value;
  /** Whether it differs from the value at the beginning. */
  changed: boolean;
}

type VariableOperation = (p: Primitives, variable: VariableState, inputs: readonly Operand[]) => readonly Value[];

function change(variable: VariableState, value: Value): readonly Value[] {
  Object.assign(variable, { value, changed: true });
  return [];
}

export const VARIABLE_OPERATIONS: Readonly<Record<string, VariableOperation>> = {
  ReadVariableOp: (_p, { value }) => [value],
  ResourceGather: ({ gather }, { value }, [ids]) => [gather(value, ids!.use())],
  AssignVariableOp: (_p, variable, [value]) => change(variable, value!.use()),
  ResourceScatterUpdate: ({ scatter }, variable, [ids, rows]) =>
    change(variable, scatter('replace', variable.value, ids!.use(), rows!.use())),
};
