/** @module A BLT's sizes in normalised form, as the rest of the project uses them. The file format is in transformers-config.ts. */

/** Rotary embedding: plain, or with Llama 3.1's scaling of long wavelengths (blt-format 4.3). */
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
  /** Number of keys that a query sees, including its own position; null means all positions up to its own. */
  readonly window: number | null;
}

export interface BltConfig {
  readonly vocabSize: number;
  /** How many rows of the local width form one patch of the global width. */
  readonly crossAttnK: number;
  readonly hash: { readonly sizes: readonly number[]; readonly functions: number; readonly vocab: number };
  /** crossAttnAllLayers: only the cross-attention after the last layer has an effect, as in transformers (blt-format 1.4). */
  readonly encoder: TransformerConfig & { readonly crossAttnAllLayers?: boolean };
  readonly decoder: TransformerConfig & { readonly crossAttnAllLayers: boolean };
  readonly global: TransformerConfig;
  readonly patcher: TransformerConfig;
  readonly patching: {
    /** In nats: a patch begins after a prediction whose entropy exceeds this. */
    readonly threshold: number;
    readonly maxPatchLength: number | null;
  };
  readonly maxPositions: number;
}

/** How many cross-attentions the encoder has; the last one produces the patches. */
export function encoderCrossLayers({ encoder }: BltConfig): number {
  return encoder.crossAttnAllLayers === true ? encoder.layers : 1;
}

/** Whether k local rows differ in width from the global transformer, so that a projection is needed between them (blt-format 1.5). */
export function needsProjection({ crossAttnK, encoder, global }: BltConfig): boolean {
  return crossAttnK * encoder.hiddenSize !== global.hiddenSize;
}
