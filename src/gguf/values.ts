/** @module Values of a GGUF file as numbers and truths, whatever type the program that wrote them chose. */
export type GgufValue = number | bigint | boolean | string | GgufValue[];

/** The number of any numeric type; null for anything else, and for 64-bit integers that a number does not hold exactly. */
export function numberIn(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'bigint') return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : null;
}

/** The truth of a bool, or of an integer that is 0 or 1, as writers without a bool store it; null for anything else. */
export function booleanIn(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  const number = numberIn(value);
  return number === 0 || number === 1 ? number === 1 : null;
}

/** What a list says for every layer alike: its one value, or the value itself where it is no list; null where layers differ. */
export function alikeIn(value: GgufValue): GgufValue | null {
  if (!Array.isArray(value)) return value;
  const [first] = value;
  return first !== undefined && value.every((other) => other === first) ? first : null;
}
