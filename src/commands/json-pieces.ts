/** @module JSON that is longer than a string can be: the long arrays of a document are written piece by piece. */

/** Values of a piece. */
const PIECE_VALUES = 65_536;

const indented = (value: unknown, by: string): string => JSON.stringify(value, null, 2).replaceAll('\n', `\n${by}`);

function* arrayPieces(values: readonly unknown[]): Generator<string> {
  for (let from = 0; from < values.length; from += PIECE_VALUES) {
    const piece = values.slice(from, from + PIECE_VALUES).map((value) => `    ${indented(value ?? null, '    ')}`);
    yield `${from === 0 ? '[' : ','}\n${piece.join(',\n')}`;
  }
  yield '\n  ]';
}

/** What `JSON.stringify(document, null, 2)` gives, and a newline, in pieces. */
export function* jsonPieces(document: object): Generator<string> {
  const entries = Object.entries(document).filter(([, value]) => value !== undefined);
  const isLong = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > PIECE_VALUES;
  if (!entries.some(([, value]) => isLong(value))) {
    yield `${JSON.stringify(document, null, 2)}\n`;
    return;
  }
  for (const [i, [key, value]] of entries.entries()) {
    yield `${i === 0 ? '{' : ','}\n  ${JSON.stringify(key)}: `;
    if (isLong(value)) yield* arrayPieces(value);
    else yield indented(value, '  ');
  }
  yield '\n}\n';
}
