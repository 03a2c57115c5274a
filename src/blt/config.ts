/** @module A BLT's sizes, normalised: what the rest of the project works with. The file's own form is in transformers-config.ts. */

/** Rotary embedding: plain, or with Llama 3.1's stretching of long wavelengths (blt-format 4.3). */
export type RopeConfig =
  | { readonly type: 'default'; readonly theta: number }
  | {
      readonly type: 'llama3';
      readonly theta: number;
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    };

/** One stack of Llama blocks. */
export interface TransformerConfig {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly intermediateSize: number;
  readonly rmsNormEps: number;
  readonly rope: RopeConfig;
  readonly maxPositions: number;
  /** Keys a query sees, itself included; null is all before it. */
  readonly window: number | null;
}

export interface BltConfig {
  readonly vocabSize: number;
  /** Rows of the local width that make one patch of the global width. */
  readonly crossAttnK: number;
  readonly hash: { readonly sizes: readonly number[]; readonly functions: number; readonly vocab: number };
  /** crossAttnAllLayers: as in transformers, of all its cross-attentions only the one after the last layer counts (blt-format 1.4). */
  readonly encoder: TransformerConfig & { readonly crossAttnAllLayers?: boolean };
  readonly decoder: TransformerConfig & { readonly crossAttnAllLayers: boolean };
  readonly global: TransformerConfig;
  readonly patcher: TransformerConfig;
  readonly patching: {
    /** Nats: a patch begins after a prediction whose entropy is above it. */
    readonly threshold: number;
    readonly maxPatchLength: number | null;
  };
  readonly maxPositions: number;
}

/** How many cross-attentions the encoder has; the last one makes the patches. */
export function encoderCrossLayers({ encoder }: BltConfig): number {
  return encoder.crossAttnAllLayers === true ? encoder.layers : 1;
}

/** Whether k local rows are wider or narrower than the global transformer, so that a projection stands between (blt-format 1.5). */
export function needsProjection({ crossAttnK, encoder, global }: BltConfig): boolean {
  return crossAttnK * encoder.hiddenSize !== global.hiddenSize;
}
