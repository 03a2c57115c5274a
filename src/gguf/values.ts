/** @module Reads values of a GGUF file as numbers and booleans, whatever type the program that wrote them chose. */
export type GgufValue = number | bigint | boolean | string | GgufValue[];

/** A value of any numeric type as a number; null for anything else, and for 64-bit integers that a number cannot represent exactly. */
export function numberIn(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'bigint') return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : null;
}

/** The value as a boolean: a bool, or an integer 0 or 1, as writers without a bool type store it. Null for anything else. */
export function booleanIn(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  const number = numberIn(value);
  return number === 0 || number === 1 ? number === 1 : null;
}

/** The value that a list gives to every layer, or the value itself if it is not a list. Null when the layers differ. */
export function alikeIn(value: GgufValue): GgufValue | null {
  if (!Array.isArray(value)) return value;
  const [first] = value;
  return first !== undefined && value.every((other) => other === first) ? first : null;
}
