/** @module The patches of a whole text. */

/** How a model cuts a text. */
export interface TextCut {
  /** Nats; entry i is the patcher's entropy of its prediction of byte i. */
  readonly entropyNats: Float32Array;
  /** Lengths of the patches, the first being BOS alone: they sum to the byte count + 1. */
  readonly patchLengths: number[];
}
