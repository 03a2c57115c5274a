/** @module What every model of a tokenizer.json does. */

export interface Model {
  /** The vocabulary, without added tokens. */
  readonly ids: ReadonlyMap<string, number>;
  /** @param piece not empty. */
  encode(piece: string): readonly number[];
}
