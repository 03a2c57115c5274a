/** @module The form of one row in the table of operations: a TensorFlow operation in StableHLO. */
import { ByteifyError } from '../../errors.js';
import type { Attribute } from '../attributes.js';
import type { Value } from './body.js';
import type { Primitives } from './primitives/index.js';

/** An input of an operation. */
export interface Operand {
  readonly shape: readonly number[];
  readonly dtype: number;
  /** It within the body. */
  use(): Value;
  /** Its numbers, for inputs that specify a shape or an axis. @throws ByteifyError when they are not known while tracing */
  numbers(): readonly number[];
}

export interface Attributes {
  number(name: string): number;
  flag(name: string): boolean;
}

/** Adds an operation to a body. */
export type Operation = (
  primitives: Primitives,
  inputs: readonly Operand[],
  attributes: Attributes,
) => Value | readonly Value[];

/** Reads attributes by name. */
export function attributesOf(list: readonly Attribute[]): Attributes {
  const find = (name: string) => {
    const found = list.find((attribute) => attribute.name === name);
    if (found === undefined) throw new ByteifyError(`An operation lacks its attribute ${name}.`);
    return found.value;
  };
  return { number: (name) => Number(find(name)), flag: (name) => find(name) === true };
}

/** An axis counted from the front. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
