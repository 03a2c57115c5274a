/** @module What a person wants to see of a fresh model: how it cuts a sentence, and what it writes. */
import { tf } from '../engine/index.js';
import { cutText, heldParams, openHeldBlt, sampleBytes } from '../model/index.js';

export interface ShownModel {
  readonly bytes: Uint8Array;
  readonly patchLengths: number[];
  readonly entropyNats: Float32Array;
  /** Text that follows the prompt; bytes that are not UTF-8 are replaced. */
  readonly sample: string;
}

const TEMPERATURE = 0.7;

/** Uniform numbers in [0, 1): a linear congruence (Knuth's constants), enough for a sample. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param folder a BLT folder. The engine must be started. */
export async function showModel(
  folder: string,
  options: { sentence: string; prompt: string; sampleBytes: number; seed: number },
): Promise<ShownModel> {
  const encoder = new TextEncoder();
  const model = await openHeldBlt(folder);
  try {
    const bytes = encoder.encode(options.sentence);
    const { patchLengths, entropyNats } = tf.tidy(() => cutText(heldParams(model), model.config, bytes));
    const sample = await sampleBytes(model, {
      prompt: encoder.encode(options.prompt),
      maxBytes: options.sampleBytes,
      temperature: TEMPERATURE,
      random: randomOf(options.seed),
    });
    return { bytes, patchLengths, entropyNats, sample: new TextDecoder().decode(sample) };
  } finally {
    model.dispose();
  }
}
