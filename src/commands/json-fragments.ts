/** @module Serializes JSON documents that exceed the maximum length of a string: long arrays are written in fragments. */

/** Values per fragment. */
const FRAGMENT_VALUES = 65_536;

const indented = (value: unknown, by: string): string => JSON.stringify(value, null, 2).replaceAll('\n', `\n${by}`);

function* arrayFragments(values: readonly unknown[]): Generator<string> {
  for (let from = 0; from < values.length; from += FRAGMENT_VALUES) {
    const fragment = values
      .slice(from, from + FRAGMENT_VALUES)
      .map((value) => `    ${indented(value ?? null, '    ')}`);
    yield `${from === 0 ? '[' : ','}\n${fragment.join(',\n')}`;
  }
  yield '\n  ]';
}

/** Yields the fragments of `JSON.stringify(document, null, 2)` and a final newline. */
export function* jsonFragments(document: object): Generator<string> {
  const entries = Object.entries(document).filter(([, value]) => value !== undefined);
  const isLong = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > FRAGMENT_VALUES;
  if (!entries.some(([, value]) => isLong(value))) {
    yield `${JSON.stringify(document, null, 2)}\n`;
    return;
  }
  for (const [i, [key, value]] of entries.entries()) {
    yield `${i === 0 ? '{' : ','}\n  ${JSON.stringify(key)}: `;
    if (isLong(value)) yield* arrayFragments(value);
    else yield indented(value, '  ');
  }
  yield '\n}\n';
}
