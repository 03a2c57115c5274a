/**
 * @module Counts the values that the backward pass keeps per row of text. `wide` values are float32; `narrowed` values take half the memory
 * when matrix products run in bfloat16.
 *
 * A layer of width H, key/value width K, feed-forward width I and A heads keeps, at each position:
 *   wide      2 H   input of each norm                         2 I   gate, up
 *   unrotated H + K q and k before RoPE, float32
 *   narrowed  3 H   inputs of q/k/v, of o, of gate/up          I   input of down
 *             H + 2 K   q, k and v
 *   by blocks of queries, narrowed   A keys  the softmax over the keys of its block, masked ones too    2 K (c - 1)  k and v c times, where windows overlap
 *   by a kernel  A  the sums of exponentials, wide   H  the result, narrowed
 */
import { type BltConfig, queryBlocks, type StageRuns, type TextShape, type TransformerConfig } from '../blt/index.js';

interface Values {
  readonly wide: number;
  readonly narrowed: number;
}

export const FLOAT_BYTES = 4;

/** Bytes of values of both kinds. */
export const bytesOf = ({ wide, narrowed }: Values, precision: 'float32' | 'bfloat16'): number =>
  FLOAT_BYTES * wide + (precision === 'bfloat16' ? 2 : FLOAT_BYTES) * narrowed;

export interface KeptFloats {
  readonly layers: number;
  /** Values of one layer. */
  readonly layer: Values;
  /**
   * Queries and keys of one layer before their rotation, whose gradient does not depend on them. TensorFlow keeps what the tape has saved; XLA
   * leaves out what nothing reads.
   */
  readonly unrotated: number;
  /** What attention keeps in one layer beside its operands, computed by blocks of queries or by a kernel. */
  readonly attention: Readonly<Record<'blocks' | 'kernel', Values>>;
  /** Values of a layer's input alone. */
  readonly layerInput: number;
  /** Values outside the layers: cross-attention, embeddings, logits. */
  readonly around: Values;
  /** Keys and values that bytes read of their patch, float32. TensorFlow keeps them; XLA reads them again. */
  readonly patchRows: number;
}

/** In the order of the backward pass. When only the patcher runs, it is counted as `decoder`. */
export type Activations = Readonly<Record<'decoder' | 'global' | 'encoder', KeptFloats>>;

const NOTHING: KeptFloats = {
  layers: 0,
  layer: { wide: 0, narrowed: 0 },
  unrotated: 0,
  attention: { blocks: { wide: 0, narrowed: 0 }, kernel: { wide: 0, narrowed: 0 } },
  layerInput: 0,
  around: { wide: 0, narrowed: 0 },
  patchRows: 0,
};

/** The values that the backward pass keeps per row: none for sections that a stage does not run, or that no gradient passes through. */
export function activationsOf(config: BltConfig, text: TextShape, { model }: StageRuns): Activations {
  const { encoder, decoder, global, patcher, crossAttnK: slots, vocabSize } = config;
  const { bytes } = text;
  const head = (part: TransformerConfig): Values => ({
    wide: bytes * (vocabSize + part.hiddenSize),
    narrowed: bytes * part.hiddenSize,
  });
  const passes = (section: keyof StageRuns['model']) => model[section] === 'trained' || model[section] === 'frozen';
  if (passes('patcher')) {
    return { decoder: { ...layersOf(patcher, bytes), around: head(patcher) }, global: NOTHING, encoder: NOTHING };
  }
  const patches = bytes / text.bytesPerPatch;
  const cross = decoder.crossAttnAllLayers ? decoder.layers : 1;
  const H = decoder.hiddenSize;
  const logits = head(decoder);
  const crossed: Values =
    slots === 1
      ? // The inputs of the norm, of v and of o, all of them per patch.
        { wide: patches * H, narrowed: 2 * patches * H }
      : // A byte's query before and after its norm and projection, the mix, and 4 values per cross-attention slot and head.
        {
          wide: bytes * (2 * H + 4 * slots * decoder.heads) + patches * slots * H,
          narrowed: bytes * 2 * H + patches * slots * H,
        };
  const kept: Activations = {
    decoder: {
      ...layersOf(decoder, bytes),
      around: {
        wide: logits.wide + cross * crossed.wide,
        narrowed: logits.narrowed + cross * crossed.narrowed,
      },
      patchRows: slots === 1 ? 0 : cross * bytes * 2 * slots * H,
    },
    global: layersOf(global, patches),
    encoder: {
      ...layersOf(encoder, bytes),
      around: {
        wide:
          bytes * (3 + slots) * encoder.hiddenSize +
          bytes * 5 * slots * encoder.heads +
          patches * 3 * slots * encoder.hiddenSize,
        narrowed: bytes * encoder.hiddenSize + patches * 3 * slots * encoder.hiddenSize,
      },
    },
  };
  return {
    decoder: passes('decoder') ? kept.decoder : NOTHING,
    global: passes('global') ? kept.global : NOTHING,
    encoder: {
      ...(passes('encoder') ? kept.encoder : NOTHING),
      around: passes('pooling') ? kept.encoder.around : NOTHING.around,
    },
  };
}

/** Sums over the query blocks: the keys that they see, and the pairs of query and key. */
function blocksOf(positions: number, window: number | null): { keys: number; pairs: number } {
  let [keys, pairs] = [0, 0];
  for (const { from, to, firstKey } of queryBlocks(positions, window)) {
    keys += to - firstKey;
    pairs += (to - firstKey) * (to - from);
  }
  return { keys, pairs };
}

function layersOf(config: TransformerConfig, positions: number): KeptFloats {
  const { hiddenSize, heads, kvHeads, intermediateSize, layers, window } = config;
  const narrow = (hiddenSize / heads) * kvHeads;
  const { keys, pairs } = blocksOf(Math.ceil(positions), window);
  return {
    layers,
    layer: {
      wide: positions * (2 * hiddenSize + 2 * intermediateSize),
      narrowed: positions * (4 * hiddenSize + intermediateSize + 2 * narrow),
    },
    unrotated: positions * (hiddenSize + narrow),
    attention: {
      blocks: { wide: 0, narrowed: heads * pairs + 2 * narrow * (keys - positions) },
      kernel: { wide: heads * positions, narrowed: hiddenSize * positions },
    },
    layerInput: positions * hiddenSize,
    around: { wide: 0, narrowed: 0 },
    patchRows: 0,
  };
}
