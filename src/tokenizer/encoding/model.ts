/** @module The interface of a tokenizer.json's model. */

export interface Model {
  /** The vocabulary, without added tokens. */
  readonly ids: ReadonlyMap<string, number>;
  /** The ids of a word. @param word not empty. */
  encode(word: string): readonly number[];
}
