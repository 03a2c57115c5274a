/** @module The patches of a whole text. */

/** How a model segments a text. */
export interface TextCut {
  /** Entry i is the entropy of the patcher's prediction of byte i, in nats. */
  readonly entropyNats: Float32Array;
  /** The lengths of the patches, which sum to the byte count + 1; the first patch is BOS alone. */
  readonly patchLengths: number[];
}
