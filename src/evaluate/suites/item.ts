/** @module What a suite asks of a model, and what the model answers: the same for every suite and for both kinds of model. */

/** One question: the likelihood of continuations of a prompt and, if asked, what the model itself writes after it. */
export interface Item {
  /** Unique within the suite; the same in every run with the same options. */
  readonly id: string;
  /** What items that follow each other are parts of, such as a document: it counts and is resampled as one. Default: the item itself. */
  readonly unit?: string;
  /** The rows of the result's table to which it counts. */
  readonly groups: readonly Group[];
  /** The beginning of the prompt that many items share; it is read once. May be empty. */
  readonly shared: Uint8Array;
  /** The rest of the prompt. May be empty. */
  readonly prompt: Uint8Array;
  /** At least one; each is scored by itself. A document is one continuation of an empty prompt. */
  readonly continuations: readonly Uint8Array[];
  /** The index of the right continuation. */
  readonly answer: number;
  /** Null if only likelihoods are wanted. */
  readonly writing: Writing | null;
}

export interface Writing {
  readonly maxBytes: number;
  /** The text ends before the first of these. */
  readonly stops: readonly Uint8Array[];
}

/** How one model answered an item. */
export interface Outcome {
  /** The negative log-likelihood of each continuation, in nats. */
  readonly nats: readonly number[];
  /** Steps of the large transformer that the right continuation took: the patches of a BLT that end in it, the tokens of a source. */
  readonly steps: number;
  /** What the model wrote, always taking the most likely byte or token; null if it was not asked. */
  readonly written: Uint8Array | null;
}

/** A model that answers items. */
export interface EvaluatedModel {
  /**
   * @returns null if the model's tokens cannot spell the item's text
   * @throws the signal's reason
   */
  answer(item: Item, signal: AbortSignal): Promise<Outcome | null>;
  dispose(): void;
}

const UTF8 = new TextEncoder();

/** The UTF-8 bytes of a text. */
export const utf8 = (text: string): Uint8Array => UTF8.encode(text);

/** The group of all items, which is reported after the others. It is no name, since a kind of text may have any. */
export const ALL_ITEMS: unique symbol = Symbol('all items');

export type Group = string | typeof ALL_ITEMS;

export const NO_BYTES = new Uint8Array();
