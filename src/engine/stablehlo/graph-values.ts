/** @module The tensors of a trace: values of its body, values that are known while tracing, and variables. */
import { ByteifyError } from '../../errors.js';
import type { NativeTensor } from '../executor.js';
import type { Body, Value } from './body.js';
import type { Operand } from './operation.js';
import type { VariableState } from './variable-operations.js';

/** What a graph needs of the runtime whose values it uses. */
export interface GraphHost {
  /** Copies a value of the runtime. */
  read(tensor: NativeTensor): Uint8Array;
  release(tensor: NativeTensor): void;
  /** Whether the value of a tensor is written into the program. Otherwise the tensor becomes a parameter. */
  isLiteral(tensor: NativeTensor): boolean;
}

/** What a traced tensor stands for: one of the three. */
interface Traced {
  readonly value?: Value;
  readonly bytes?: Uint8Array;
  readonly variable?: VariableState;
}

export type GraphValues = ReturnType<typeof createGraphValues>;

export function createGraphValues(host: GraphHost, body: Body) {
  /** The runtime's variables that the trace uses, and its tensors that became parameters. */
  const captured = new Map<NativeTensor, VariableState>();
  const constants = new Map<NativeTensor, Value>();
  const literals = new Map<object, Value>();
  const owned = new WeakSet<object>();

  function tensorOf(
    traced: Traced,
    { shape, dtype, valueType }: Pick<NativeTensor, 'dtype' | 'valueType'> & { readonly shape: readonly number[] },
  ): NativeTensor {
    owned.add(traced);
    return { handle: 0n, output: traced, shape: [...shape], dtype, ...(valueType !== undefined && { valueType }) };
  }

  /** Null for a tensor of the runtime. @throws ByteifyError for a tensor of another trace */
  function tracedOf({ output, shape }: NativeTensor): Traced | null {
    if (output === undefined) return null;
    if (owned.has(output)) return output as Traced;
    throw new ByteifyError(`A traced tensor [${shape.join(', ')}] is used in a trace other than its own.`, {
      hint: 'Pass it to the function as an input. Everything that a fused chain uses must be among its inputs.',
    });
  }

  function literal(key: object, bytes: Uint8Array, { shape, dtype }: NativeTensor): Value {
    const value = literals.get(key) ?? body.constant(bytes, shape, dtype);
    literals.set(key, value);
    return value;
  }

  function parameterFor(tensor: NativeTensor): Value {
    const { shape, dtype } = tensor;
    const value = constants.get(tensor) ?? { id: `%c${constants.size}`, shape: [...shape], dtype };
    constants.set(tensor, value);
    return value;
  }

  /** A tensor within the body. */
  function inBody(tensor: NativeTensor): Value {
    const traced = tracedOf(tensor);
    if (traced === null)
      return host.isLiteral(tensor) ? literal(tensor, host.read(tensor), tensor) : parameterFor(tensor);
    if (traced.value !== undefined) return traced.value;
    if (traced.bytes !== undefined) return literal(traced, traced.bytes, tensor);
    throw new ByteifyError('A variable was used as a tensor.');
  }

  /** @throws ByteifyError for values that only a call computes */
  function read(tensor: NativeTensor): Uint8Array {
    const traced = tracedOf(tensor);
    if (traced === null) return host.read(tensor);
    if (traced.bytes !== undefined) return traced.bytes;
    throw new ByteifyError(`The value of a traced tensor [${tensor.shape.join(', ')}] was read while tracing.`, {
      hint: 'A traced function only describes a computation: return the value as a result and read it after the call.',
    });
  }

  return {
    captured,
    constants,
    tensorOf,
    inBody,
    read,
    adopt: (value: Value): NativeTensor => tensorOf({ value }, value),
    operandOf: (tensor: NativeTensor): Operand => ({
      shape: tensor.shape,
      dtype: tensor.dtype,
      use: () => inBody(tensor),
      numbers: () => [...new Int32Array(Uint8Array.from(read(tensor)).buffer)],
    }),
    /** A variable's handle among a function's inputs, or one of the runtime's, which the function captures. */
    variableOf(tensor: NativeTensor): VariableState {
      const known = tracedOf(tensor)?.variable ?? captured.get(tensor);
      if (known !== undefined) return known;
      const value = { id: `%v${captured.size}`, shape: [...tensor.shape], dtype: tensor.valueType! };
      const state: VariableState = { value, changed: false };
      captured.set(tensor, state);
      return state;
    },
  };
}
